"""What candidates cost: from a batching server, under one limit for all workers, and again from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.result import Result, time_command
from pytest_itbench.models.choice import parse_model
from pytest_itbench.models.server import ModelServer
from pytest_itbench.models.vllm import Vllm
from pytest_itbench.testing.chat import serve_chat

SCENARIO = """
title: Nothing to do
domain: file-management
difficulty: easy
hosts: {web: {}}
"""
PROMPT = "".join(f"{{% block level_{n} %}}Write the word that is asked for. {{% endblock %}}" for n in (1, 2, 3))
VALIDATOR = """
def check_word(web):
    assert "right" in web.run("cat /candidate").stdout, "it does not say: right"
"""
PLAYBOOK = "- hosts: all\n  # {word}\n"
ROOT = Path(__file__).parents[1]


@contextmanager
def make_place(scenarios: int, prompt: str = PROMPT) -> Iterator[Path]:
    """A directory with scenarios, on the same disk as this file: others may be slower at making small files."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=ROOT / "build") as name:
        for number in range(scenarios):
            directory = Path(name, "scenarios", f"scenario-{number}")
            (directory / "solution").mkdir(parents=True)
            (directory / "scenario.yaml").write_text(SCENARIO)
            (directory / "prompt.md.j2").write_text(prompt)
            (directory / "validate.py").write_text(VALIDATOR)
            (directory / "solution" / "playbook.yml").write_text(PLAYBOOK.format(word="right"))
        Path(name, "pytest.ini").write_text("[pytest]\nitbench_environment = fake\n")
        yield Path(name)


PYTEST = [sys.executable, "-m", "pytest", "scenarios", "-q", "--tb=no", "-rN", "-p", "no:cacheprovider"]

# --- from a batching server ------------------------------------------------------------------------------------------

CANDIDATES = 10
PROMPT_WORDS = 300
REPLY_TOKENS = 60
BATCHING_TARGET = 0.5
# A processor's needs; a model large enough that its work outweighs what surrounds it.
VLLM = ("--dtype=float32", "--enforce-eager", "--max-num-seqs=16", "--max-num-batched-tokens=8192")
WIDTH, LAYERS = 512, 8


def measure_batching() -> Result:
    """Ten candidates of one prompt from a managed vLLM, against ten requests in a row without its cache of prompts."""
    python = os.environ.get("PYTEST_ITBENCH_VLLM_PYTHON")
    if not python:
        return Result(met=True, text="not measured: PYTEST_ITBENCH_VLLM_PYTHON names no Python that has vLLM")
    prompt = "".join(f"{{% block level_{n} %}}{'Write a word. ' * PROMPT_WORDS}{{% endblock %}}" for n in (1, 2, 3))
    with make_place(1, prompt) as place:
        script = ROOT / "tests" / "vllm" / "make_model.py"
        subprocess.run([python, script, place / "model", str(WIDTH), str(LAYERS)], check=True, capture_output=True)
        with start_vllm(python, place / "model", place / "cold.log", "--no-enable-prefix-caching") as url:
            in_a_row = ask_in_a_row(url, str(place / "model"), "Write a word. " * PROMPT_WORDS)
        with start_vllm(python, place / "model", place / "warm.log") as url:
            model = f"--itbench-model=m=openai:{place / 'model'}"
            options = (model, f"--itbench-base-url={url}/v1", f"--itbench-max-tokens={REPLY_TOKENS}")
            command = [*PYTEST, *options, f"--itbench-attempts={CANDIDATES}", "--itbench-generate-only", "-n2"]
            os.environ.setdefault("OPENAI_API_KEY", "none")
            ours = time_command([*command, "--itbench-concurrency=10"], place)
    ratio = ours / in_a_row
    text = f"{CANDIDATES} candidates in {ours:.1f} s with all of pytest, in a row and cold {in_a_row:.1f} s"
    return Result(met=ratio <= BATCHING_TARGET, text=f"{text}: {ratio:.2f} times (target: {BATCHING_TARGET})")


@contextmanager
def start_vllm(python: str, model: Path, log: Path, *arguments: str) -> Iterator[str]:
    """A server as a run starts it, ready and warmed up by a short request; gives its address."""
    options = {"vllm_python": python, "vllm_arguments": (*VLLM, *arguments)}
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    server = ModelServer(Vllm.serve(replace(parse_model(f"vllm:{model}"), options=options), log.parent), log)
    try:
        server.wait(lambda _: None)
        ask_in_a_row(server.url, str(model), "warm up", times=1)
        yield server.url
    finally:
        server.stop()


def ask_in_a_row(url: str, model: str, prompt: str, times: int = CANDIDATES) -> float:
    """Seconds for requests one after the other."""
    body = {"model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": REPLY_TOKENS}
    started = time.monotonic()
    for _ in range(times):
        httpx.post(f"{url}/v1/chat/completions", json=body, timeout=300, trust_env=False).raise_for_status()
    return time.monotonic() - started


# --- under one limit -------------------------------------------------------------------------------------------------

WORKERS = 8
LIMIT = 24
REQUESTS = 480
DELAY = 1.0
BUSY_TARGET = 0.9


def measure_in_flight() -> Result:
    """How near to the limit the requests under way stay, between the first and the time when none is left to send."""
    seen: list[int] = []
    with make_place(REQUESTS // 10) as place, serve_chat() as endpoint:
        endpoint.answer, endpoint.delay = f"```yaml\n{PLAYBOOK.format(word='right')}```", DELAY
        options = ("--itbench-model=m=openai:m", f"--itbench-base-url={endpoint.url}", "--itbench-attempts=10")
        command = [*PYTEST, *options, f"--itbench-concurrency={LIMIT}", f"-n{WORKERS}"]
        os.environ.setdefault("OPENAI_API_KEY", "none")
        run = threading.Thread(target=time_command, args=(command, place))
        run.start()
        while run.is_alive():
            if endpoint.under_way == LIMIT or seen:
                seen.append(endpoint.under_way)
            if len(endpoint.seen) > REQUESTS - LIMIT:
                break
            time.sleep(0.01)
        run.join()
    share = sum(seen) / len(seen) / LIMIT if seen else 0.0
    text = f"{share:.0%} of {LIMIT} requests under way with {WORKERS} workers, never more than {endpoint.peak}"
    met = share >= BUSY_TARGET and endpoint.peak == LIMIT
    return Result(met=met, text=f"{text} (target: {BUSY_TARGET:.0%}, {LIMIT})")


# --- from a file -----------------------------------------------------------------------------------------------------

RECORDED = 10_000
PER_SCENARIO = 200
RATE_TARGET = 500.0


def measure_replay() -> Result:
    """Judging recorded candidates on fake environments, against as many tests that do nothing."""
    with make_place(RECORDED // PER_SCENARIO) as place:
        with (place / "candidates.jsonl").open("w") as file:
            for number in range(RECORDED):
                word = "right" if number % 4 == 0 else "wrong"
                record = {
                    "scenario": f"scenario-{number // PER_SCENARIO}",
                    "model": "m",
                    "attempt": number % PER_SCENARIO,
                    "reply": f"```yaml\n{PLAYBOOK.format(word=word)}```",
                }
                file.write(json.dumps(record) + "\n")
        (place / "test_nothing.py").write_text(
            f"import pytest\n@pytest.mark.parametrize('n', range({RECORDED}))\ndef test_nothing(n): pass\n"
        )
        nothing = time_command([*PYTEST[:3], "test_nothing.py", *PYTEST[4:]], place)
        ours = time_command([*PYTEST, "--itbench-candidates=candidates.jsonl"], place, status=1)
    rate = RECORDED / ours
    text = f"{rate:.0f} candidates a second with all reports, {ours / nothing:.1f} times as long as empty tests"
    return Result(met=rate >= RATE_TARGET, text=f"{text} (target: {RATE_TARGET:g} a second)")
