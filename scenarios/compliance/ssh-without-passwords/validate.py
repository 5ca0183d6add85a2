# This is test material and must never be in training data: pytest-itbench canary 4ee91ef1-6da9-4ad8-a3bb-2c7c26de598f
"""Three hosts violate the requirement, each in a way of its own; the two others come close."""

import json

COLLECTED = "/var/tmp/collected_data.json"
LARGEST = 1024**2


def collected(host):
    file = host.file(COLLECTED)
    assert file.is_file, f"there is no {COLLECTED}"
    assert 0 < file.size <= LARGEST, f"{COLLECTED} has {file.size} bytes"
    try:
        return json.loads(file.content_string)
    except ValueError as error:
        raise AssertionError(f"{COLLECTED} is no valid JSON: {error}") from None


def condemned(candidate, host):
    assert candidate.judge(collected(host)) is False, "it violates the requirement, but the policy acquits it"


def acquitted(candidate, host):
    assert candidate.judge(collected(host)) is True, "it meets the requirement, but the policy condemns it"


def check_every_host_has_valid_json(alpha, beta, gamma, delta, epsilon):
    for host in (alpha, beta, gamma, delta, epsilon):
        assert collected(host), "nothing was collected"


def check_alpha_is_condemned(candidate, alpha):
    condemned(candidate, alpha)


def check_beta_is_acquitted(candidate, beta):
    acquitted(candidate, beta)


def check_gamma_is_condemned(candidate, gamma):
    condemned(candidate, gamma)


def check_delta_is_acquitted(candidate, delta):
    acquitted(candidate, delta)


def check_epsilon_is_condemned(candidate, epsilon):
    condemned(candidate, epsilon)


def check_nothing_collected_is_not_acquitted(candidate):
    assert candidate.judge({}) is False, "the policy acquits a host of which nothing is known"


def check_hosts_are_left_as_they_were(candidate, alpha, beta, gamma, delta, epsilon):
    assert candidate.parts  # before the audit they are as they were, of course
    now = "cd /etc && find . {} ! -name hosts ! -name hostname ! -name resolv.conf -exec {} {{}} + | sort {}"
    hosts = {"alpha": alpha, "beta": beta, "gamma": gamma, "delta": delta, "epsilon": epsilon}
    for name, host in hosts.items():
        files = host.run(now.format("-type f", "sha256sum", "-k 2") + " | diff /root/files.before -")
        assert files.rc == 0, f"{name}: files in /etc were changed: {files.stdout[:300]}"
        modes = host.run(now.format("", "stat -c '%n %a %u %g'", "") + " | diff /root/modes.before -")
        assert modes.rc == 0, f"{name}: modes or owners in /etc were changed: {modes.stdout[:300]}"
