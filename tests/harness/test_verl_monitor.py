"""What a step on verl says of its machine, and what it leaves out."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from types import SimpleNamespace

import pytest

from harness.backends.verl.monitor import PREEMPTIONS, Monitor, preemptions


@pytest.fixture
def server() -> Iterator[SimpleNamespace]:
    """Answers as vLLM's does; `text` is what it says."""
    state = SimpleNamespace(text="")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(state.text.encode())

        def log_message(self, *_: object) -> None:
            pass

    made = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=made.serve_forever, daemon=True).start()
    state.address = f"127.0.0.1:{made.server_port}"
    yield state
    made.shutdown()


def said(*counts: float) -> str:
    """By engine, as vLLM 0.28 writes it."""
    lines = ["# TYPE vllm:num_preemptions_total counter"]
    lines += [
        f'vllm:num_preemptions_total{{engine="{i}",model_name="m"}} {float(count)}' for i, count in enumerate(counts)
    ]
    return "\n".join([*lines, 'vllm:num_preemptions_created{engine="0"} 1.7e+09', "vllm:num_requests_running 3.0", ""])


def test_preemptions_are_counted_from_step_to_step(server: SimpleNamespace) -> None:
    server.text, monitor = said(7, 1), Monitor(2)
    monitor.watch([server.address])
    server.text = said(9, 1)
    assert monitor.row([10], 1.0)[PREEMPTIONS] == 2.0
    assert monitor.row([10], 1.0)[PREEMPTIONS] == 0.0, "a zero that was counted"
    server.text = "vllm:num_requests_running 3.0\n"
    assert PREEMPTIONS not in monitor.row([10], 1.0)
    server.text = said(12, 1)
    assert PREEMPTIONS not in monitor.row([10], 1.0), "from when is not known"
    assert preemptions([server.address, "127.0.0.1:9"]) is None and preemptions([]) is None


def test_a_proxy_is_not_asked(server: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    server.text = said(7)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert preemptions([server.address]) == 7.0


def test_peaks_utilisation_and_tokens() -> None:
    monitor = Monitor(4)
    monitor.updated({"perf/max_memory_allocated_gb": [50.0, 61.0], "mfu": [0.25, 0.35]})
    monitor.updated({"perf/max_memory_allocated_gb": 60.0, "mfu": 0.6})
    assert monitor.row([300, 500], 2.0) == {
        "perf/total_num_tokens": 800.0,
        "perf/time_per_step": 2.0,
        "perf/throughput": 100.0,
        "actor/perf/max_memory_allocated_gb": 61.0,
        "perf/mfu/actor": pytest.approx(0.4),
    }


def test_a_step_without_an_update_and_an_unknown_device_measure_nothing() -> None:
    monitor = Monitor(1)
    monitor.updated({})
    monitor.updated({"mfu": [0.0]})
    assert set(monitor.row([5], 1.0)) == {"perf/total_num_tokens", "perf/time_per_step", "perf/throughput"}
