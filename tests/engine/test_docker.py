"""The provider ``docker`` against a real engine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from testinfra.host import Host

from pytest_itbench.domain.application import Application
from pytest_itbench.domain.outcome import FailureKind
from pytest_itbench.domain.scenario import Scenario
from pytest_itbench.environments.docker.engine import LABEL, Engine
from pytest_itbench.environments.docker.environment import DockerEnvironment
from pytest_itbench.environments.docker.leftovers import find_left
from pytest_itbench.environments.docker.probe import CheckTimeout
from pytest_itbench.environments.docker.provider import DockerProvider
from pytest_itbench.environments.docker.stream import OUTPUT_LIMIT
from pytest_itbench.errors import HostStopped, NotReady
from pytest_itbench.loading.scenario import load_scenario
from pytest_itbench.owner import describe_owner
from pytest_itbench.runner import find_cache
from pytest_itbench.testing.conformance import EnvironmentConformance, make_ground, make_options
from pytest_itbench.validation.checks import run_checks
from pytest_itbench.validation.failure import classify_failure

Start = Callable[..., DockerEnvironment]


class TestConformance(EnvironmentConformance):
    """What every provider must do."""

    @pytest.fixture
    def provider(self) -> DockerProvider:
        """The one under test."""
        return DockerProvider(make_options(find_cache()))


def play(environment: DockerEnvironment, tasks: str, head: str = "become: true") -> Application:
    """Apply a play of one-line tasks."""
    lines = "\n".join(f"    - {task.strip()}" for task in tasks.strip().splitlines())
    return environment.apply(f"- hosts: all\n  gather_facts: false\n  {head}\n  tasks:\n{lines}\n")


@pytest.mark.usefixtures("variables_that_come_and_go")
def test_calls_while_another_thread_removes_a_variable() -> None:
    """What the engine's client reads of the environment is read once, not with each call."""
    engine = Engine("")
    assert all(engine.api.version()["ApiVersion"] for _ in range(300))


def test_commands_of_validators(start: Start) -> None:
    """Status, both streams, bytes and quoting arrive unchanged over one connection."""
    environment = start()
    with environment.connect() as hosts:
        web: Host = hosts["web"]
        ran = web.run("echo out; echo err >&2; exit 7")
        assert (ran.rc, ran.stdout, ran.stderr) == (7, "out\n", "err\n")
        assert web.run("printf %s 'it''s'").stdout == "its"
        assert web.run("printf '\\000\\377'").stdout_bytes == b"\x00\xff"
        assert web.run("cat").stdout == ""
        assert web.run("exit 124").rc == 124
        assert web.run("echo 'a\nb'; false").rc == 1
        assert web.user("ops").home == "/home/ops"
        assert web.package("sudo").is_installed
        assert web.file("/etc/passwd").mode == 0o644
        big = web.run(f"head -c {3 * OUTPUT_LIMIT} /dev/zero; echo; echo end")
        assert big.stdout.endswith("end\n")
        assert len(big.stdout) <= 2 * OUTPUT_LIMIT + 2048


def test_a_check_that_hangs_is_given_up(start: Start) -> None:
    """The command is ended at its limit, the check fails, and the connection goes on."""
    environment = start("limits: {check: 1}\n")
    with environment.connect() as hosts:
        with pytest.raises(CheckTimeout, match="no answer within 1 s: sleep 30"):
            hosts["web"].run("sleep 30")
        assert hosts["web"].run("echo on").stdout == "on\n"


def test_validators_tools_cannot_be_replaced(start: Start) -> None:
    """A candidate that is root can neither change the validators' tools nor what they say."""
    environment = start()
    application = play(
        environment,
        """
        ansible.builtin.copy: {content: "#!/bin/sh\\necho forged", dest: /usr/bin/cat, mode: "0755"}
        ansible.builtin.raw: "echo x >/.itbench/cat || umount /.itbench || mount -o remount,rw /.itbench; true"
        """,
    )
    assert application.status == 0, application.output
    with environment.connect() as hosts:
        assert hosts["web"].run("cat /etc/hostname").stdout == "web\n"
        assert hosts["web"].run("id -u").stdout == "0\n"


def test_nothing_of_validators_is_there_while_the_candidate_runs(start: Start) -> None:
    """No process and no file of a validator, and none of its words, can be found from inside."""
    environment = start()
    with environment.connect() as hosts:
        hosts["web"].run("echo canary-word")
    found = "grep -rl 'canary-wor[d]' /tmp /root /home /run /proc/[0-9]*/cmdline /proc/[0-9]*/environ"
    application = play(environment, f'ansible.builtin.shell: "{found} && exit 1; true"')
    assert application.status == 0, application.output


def test_there_is_no_way_out(engine: Engine, start: Start) -> None:
    """Neither hosts nor the control machine reach anything but each other; not even the machine they run on."""
    environment = start()
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        addresses = {"1.1.1.1", socket.gethostbyname(socket.gethostname()), *find_addresses()}
        network = engine.client.networks.get(environment.name).attrs["IPAM"]["Config"][0]
        addresses.add(network.get("Gateway") or network["Subnet"].replace("0/", "1/").partition("/")[0])
        for machine in ("web", "control"):
            for address in addresses - {"127.0.0.1", "127.0.1.1"}:
                command = f"timeout 1 bash -c '</dev/tcp/{address}/{port}' && echo reached"
                ran = engine.run(f"{environment.name}-{machine}", ["sh", "-c", command], timeout=10)
                assert ran.stdout == b"", f"{machine} reaches {address}"


def find_addresses() -> list[str]:
    """The addresses of this machine."""
    found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    return [address for address in found.split() if ":" not in address]


def test_sockets_of_the_engine_are_not_there(engine: Engine, start: Start) -> None:
    """No container sees the engine's socket."""
    environment = start()
    for machine in ("web", "control"):
        ran = engine.run(
            f"{environment.name}-{machine}", ["sh", "-c", "ls /var/run/docker.sock /run/docker.sock"], timeout=10
        )
        assert ran.status != 0


def test_machines_are_bounded(engine: Engine, start: Start) -> None:
    """Memory, processors and processes of each machine have the scenario's limits."""
    environment = start(host="{limits: {memory: 128m, cpus: 0.5, pids: 64}}")
    config = engine.api.inspect_container(f"{environment.name}-web")["HostConfig"]
    assert (config["Memory"], config["MemorySwap"], config["NanoCpus"], config["PidsLimit"]) == (
        128 * 1024**2,
        128 * 1024**2,
        500_000_000,
        64,
    )
    control = engine.api.inspect_container(f"{environment.name}-control")["HostConfig"]
    assert control["CapDrop"] == ["ALL"]
    assert not any(bind for bind in control["Binds"] or [])


def test_a_candidate_that_does_not_end_is_stopped(start: Start) -> None:
    """At its limit the run is over, and nothing of it goes on."""
    environment = start("limits: {candidate: 3}\n")
    application = play(environment, "ansible.builtin.command: sleep 300")
    assert application.timed_out
    environment.end_candidate()
    with environment.connect() as hosts:
        assert hosts["web"].run("hostname").rc == 0


def test_output_without_end_is_cut(start: Start) -> None:
    """A candidate cannot fill our memory or disk by printing."""
    environment = start()
    head = "become: false\n  vars: {x: '{{ \"y\" * 3000000 }}'}"
    application = play(environment, 'ansible.builtin.debug: {msg: "{{ x }}"}', head)
    assert len(application.output) <= OUTPUT_LIMIT + 1000


def test_a_host_that_a_candidate_stops_is_its_own_doing(engine: Engine, start: Start) -> None:
    """Stopping a host is told from trouble with the engine."""
    environment = start()
    with environment.connect():
        engine.api.kill(f"{environment.name}-web")
    with pytest.raises(HostStopped, match="web stopped with status 137"), environment.connect():
        pass


def test_services_can_be_managed(start: Start) -> None:
    """ansible.builtin.service works, and sshd may be restarted by the candidate."""
    environment = start()
    tasks = (
        "ansible.builtin.service: {name: cron, state: started}\nansible.builtin.service: {name: ssh, state: restarted}"
    )
    assert play(environment, tasks).status == 0
    assert play(environment, "ansible.builtin.ping:").status == 0
    with environment.connect() as hosts:
        assert hosts["web"].service("cron").is_running


def test_what_a_host_declares_is_there(start: Start) -> None:
    """Packages, files with owner and mode, environment, groups and start commands."""
    environment = start(
        host="{packages: [jq],"
        " files: [{src: environment/motd, dest: /srv/a/motd, owner: ops, group: ops, mode: '0640'}],"
        " environment: {SITE: 'a $HOME b'}, groups: [public], start: ['echo up >/run/up']}",
        files={"environment/motd": "hello\n"},
    )
    with environment.connect() as hosts:
        web = hosts["web"]
        assert web.package("jq").is_installed
        motd = web.file("/srv/a/motd")
        assert (motd.user, motd.group, motd.mode, motd.content_string) == ("ops", "ops", 0o640, "hello\n")
        assert web.file("/run/up").exists
        assert web.run("echo $SITE").stdout == "a $HOME b\n"
    application = environment.apply(
        "- hosts: public\n  gather_facts: false\n  tasks:\n"
        "    - {ansible.builtin.command: printenv SITE, register: seen}\n"
        "    - ansible.builtin.assert: {that: seen.stdout == 'a $HOME b'}\n"
    )
    assert application.status == 0, application.output
    assert {event.host for event in application.events} == {"web"}


def test_setup_trigger_and_probes_run_in_order(start: Start) -> None:
    """Scripts run as root, playbooks from the control machine, probes wait."""
    environment = start(
        """
        setup: [{script: environment/a.sh}, {playbook: environment/b.yml}]
        trigger: [{script: environment/c.sh, hosts: [web]}]
        probes: [{host: web, command: "grep -q late /run/log-of-steps"}]
        """,
        {
            "environment/a.sh": "#!/bin/sh\nid -un >/run/log-of-steps\n(sleep 0.5; echo late >>/run/log-of-steps) &\n",
            "environment/b.yml": "- {hosts: all, become: true, tasks: [shell: echo playbook >>/run/log-of-steps]}\n",
            "environment/c.sh": "#!/bin/sh\necho trigger >>/run/log-of-steps\n",
        },
    )
    with environment.connect() as hosts:
        lines = hosts["web"].file("/run/log-of-steps").content_string.split()
    assert [line for line in lines if line != "late"] == ["root", "playbook", "trigger"]
    assert "late" in lines


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("setup: [{script: environment/bad.sh}]", r"setup: bad.sh failed on web \(status 3\):\noh no"),
        ("trigger: [{playbook: environment/bad.yml}]", r"(?s)trigger: bad.yml failed \(status 2\):.*oh no"),
        ("probes: [{host: web, command: 'echo nope; false', timeout: 0.5}]", "its probe does not succeed.*nope"),
    ],
)
def test_an_environment_that_is_not_ready_says_why(start: Start, extra: str, said: str) -> None:
    """The step, the host, the status and what was printed."""
    files = {
        "environment/bad.sh": "#!/bin/sh\necho oh no; exit 3\n",
        "environment/bad.yml": "- hosts: all\n  gather_facts: false\n  tasks:\n    - fail: {msg: oh no}\n",
    }
    with pytest.raises(NotReady, match=said):
        start(extra, files)


def test_a_host_that_does_not_start_says_why(start: Start) -> None:
    """A failing start command is shown from the host's log."""
    with pytest.raises(NotReady, match=r"(?s)web.*stopped with status 1.*cannot start"):
        start(host="{start: ['echo cannot start; false']}")


def test_a_shell_validator_names_its_checks(start: Start, tmp_path: Path) -> None:
    """Each `check` is a result of its own; the script's own failure is one more."""
    script = """
    check "root is there" grep -q ^root: /etc/passwd
    check "nobody is root" sh -c 'echo seen: 50%; exit 1'
    exit 4
    """
    environment = start("validators: [checks.sh]\n", {"checks.sh": script})
    scenario = load_scenario(tmp_path / "real" / "scenario.yaml")
    with environment.connect() as hosts:
        results = list(run_checks(scenario, hosts))
    assert [(r.name, r.passed) for r in results] == [
        ("root is there", True),
        ("nobody is root", False),
        ("checks.sh", False),
    ]
    assert results[1].message == "seen: 50%"
    assert results[2].message.startswith("exit status 4")


KINDS = {
    FailureKind.SYNTAX: ("ansible.builtin.copy: {content: x", "{ansible.builtin.ping: {}, whn: true}"),
    FailureKind.UNKNOWN_MODULE: ("ansible.builtin.no_such_module: {a: 1}",),
    FailureKind.UNKNOWN_PARAMETER: (
        "ansible.builtin.copy: {contents: x, dest: /tmp/x}",
        "ansible.builtin.file: {path: /tmp/x, state: here}",
        "ansible.builtin.file: {state: touch}",
    ),
    FailureKind.UNDEFINED_VARIABLE: (
        'ansible.builtin.debug: {msg: "{{ nobody_set_this }}"}',
        "ansible.builtin.debug: {msg: \"{{ hostvars['web'].nothing.here }}\"}",
        "{ansible.builtin.ping: {}, when: nobody_set_this}",
    ),
    FailureKind.TEMPLATE: (
        'ansible.builtin.debug: {msg: "{{ 1 +  }}"}',
        "ansible.builtin.debug: {msg: \"{{ 'a' | no_such_filter }}\"}",
        "ansible.builtin.debug: {msg: \"{{ 'a' | int(b=) }}\"}",
    ),
    FailureKind.PATH: (
        "ansible.builtin.template: {src: gone.j2, dest: /tmp/x}",
        "ansible.builtin.copy: {content: x, dest: /no/such/place/x}",
        "ansible.builtin.lineinfile: {path: /no/such/file, line: x}",
        "ansible.builtin.include_tasks: gone.yml",
        "ansible.builtin.command: /no/such/command",
    ),
    FailureKind.TASK_FAILED: ("ansible.builtin.command: /bin/false", "ansible.builtin.fail: {msg: no}"),
}


def test_real_failures_have_their_kind(start: Start) -> None:
    """What ansible-core says of each mistake is told apart."""
    environment = start()
    seen = {}
    for kind, mistakes in KINDS.items():
        for tasks in mistakes:
            application = play(environment, tasks.replace("\n", "\n    "))
            assert application.status != 0, tasks
            seen[tasks] = (classify_failure(application)[0], kind, application.output[-800:])
    wrong = {tasks: found for tasks, found in seen.items() if found[0] is not found[1]}
    assert not wrong, "\n\n".join(f"{tasks}\nfound {a}, expected {b}\n{text}" for tasks, (a, b, text) in wrong.items())


def test_permission_and_unreachable_are_told(start: Start) -> None:
    """Without become, and with a wrong user, the kind says so."""
    environment = start()
    denied = play(environment, "ansible.builtin.copy: {content: x, dest: /etc/x}", "become: false")
    assert classify_failure(denied)[0] is FailureKind.PERMISSION
    away = play(environment, "ansible.builtin.ping:", "remote_user: nobody")
    assert classify_failure(away)[0] is FailureKind.UNREACHABLE


def left_of(engine: Engine, owner: str) -> list[str]:
    """An attempt's containers and networks that carry an owner's label."""
    left = find_left(engine, f"{LABEL}.owner={owner}")
    return [str(thing.name) for thing in left if not str(thing.name).startswith("itbench-witness-")]


def test_what_a_killed_process_left_is_removed(
    engine: Engine, provider: DockerProvider, write: Callable[..., Scenario]
) -> None:
    """The sweep takes what belongs to a dead process of this place, and nothing of a living one or of another place."""
    code = "from pytest_itbench.owner import describe_owner; print(describe_owner())"
    dead = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    living, foreign = describe_owner(), f"elsewhere{dead}"
    scenario = write()
    (place,) = provider.find_places()
    environments = [provider.create(scenario, make_ground(owner=owner), place) for owner in (living, dead, foreign)]
    for environment in environments:
        environment.start()
    provider.sweep_orphans()
    assert [len(left_of(engine, owner)) for owner in (living, dead, foreign)] == [3, 0, 3]
    assert len(provider.sweep(foreign)) == 3
    assert [len(left_of(engine, owner)) for owner in (living, foreign)] == [3, 0]
    for environment in environments:
        environment.stop()


@pytest.mark.parametrize(
    "tasks",
    [
        "ansible.builtin.command: rm /etc/passwd",
        "ansible.builtin.shell: 'nohup sh -c \"while :; do pkill -9 -f itbench/s[h]; done\" >/dev/null 2>&1 &'",
    ],
)
def test_a_host_that_lets_nobody_in_is_no_excuse(start: Start, tasks: str) -> None:
    """A candidate that keeps validators out has missed, or is judged; it is never invalid."""
    environment = start()
    play(environment, tasks)
    environment.end_candidate()
    try:
        with environment.connect() as hosts:
            for _ in range(50):
                hosts["web"].run("true")
    except HostStopped:
        return


def test_a_first_run_cannot_deceive_the_second(start: Start) -> None:
    """Neither a configuration nor plugins left by the first run, nor an ignored failure, hide a change."""
    environment = start()
    left = """
    - hosts: localhost
      gather_facts: false
      tasks:
        - copy: {content: "[defaults]\\n", dest: ./ansible.cfg}
        - file: {path: ./library, state: directory}
    - hosts: all
      become: true
      gather_facts: false
      tasks:
        - {shell: "date >>/done; false", ignore_errors: true}
    """
    for _ in range(2):
        application = environment.apply(dedent(left))
        assert application.status == 0, application.output
        assert application.complete
        assert [event.action for event in application.changes][-1] == "shell"


def test_modules_are_sent_as_they_were_built(start: Start) -> None:
    """Ansible takes what the control machine holds ready, and builds nothing of its own for usual tasks."""
    environment = start()
    usual = """
    - hosts: all
      tasks:
        - copy: {content: x, dest: /home/ops/x}
        - ansible.posix.authorized_key: {user: ops, key: "ssh-ed25519 AAAA x", path: /home/ops/keys}
        - {command: "find /home/ops/.ansible -path */ansiballz_cache/* -type f", delegate_to: localhost, register: own}
        - command: find /home/ops/.ansible -lname /opt/ansible/payloads/ansible.modules.copy-*
          delegate_to: localhost
          register: ready
        - assert: {that: [own.stdout == "", ready.stdout != ""]}
    """
    application = environment.apply(dedent(usual))
    assert application.status == 0, application.output


def test_nothing_of_the_candidate_runs_on(start: Start) -> None:
    """What the candidate left running on the control machine ends before validators look."""
    environment = start()
    late = "nohup sh -c 'sleep 2; ssh -o StrictHostKeyChecking=no web sudo touch /late' >/dev/null 2>&1 &"
    environment.apply(f"- hosts: localhost\n  gather_facts: false\n  tasks:\n    - shell: {json.dumps(late)}\n")
    environment.end_candidate()
    environment.end_candidate()
    with environment.connect() as hosts:
        hosts["web"].run("sleep 3")
        assert not hosts["web"].file("/late").exists


def test_a_shell_validator_that_hangs_or_floods_has_failed(start: Start, tmp_path: Path) -> None:
    """What the host makes of a check cannot break the validator."""
    script = "check flood head -c 6000000 /dev/zero\ncheck quoted sh -c \"echo 'a b'; exit 1\"\n"
    environment = start(
        "limits: {check: 2}\nvalidators: [flood.sh, hang.sh]\n", {"flood.sh": script, "hang.sh": "sleep 60\n"}
    )
    scenario = load_scenario(tmp_path / "real" / "scenario.yaml")
    with environment.connect() as hosts:
        results = {result.name: (result.passed, result.message) for result in run_checks(scenario, hosts)}
    assert results["flood"] == (True, "")
    assert results["quoted"] == (False, "a b")
    assert results["hang.sh"][0] is False
    assert "no answer within 2 s" in results["hang.sh"][1]
