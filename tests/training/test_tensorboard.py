"""Event files: read back record by record, as TensorBoard reads them."""

import struct

import pytest
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.record_writer import masked_crc32c

from gotd_jax.training.metrics_log import MetricsLog
from tests.training.runs import entries


def events_of(folder):
    """All events of a folder's files, in the order of their names; every checksum is checked."""
    events = []
    for path in sorted(folder.glob("events.out.tfevents.*")):
        content, start = path.read_bytes(), 0
        while start < len(content):
            head = content[start : start + 8]
            size = struct.unpack("<Q", head)[0]
            head_sum, record, record_sum = struct.unpack(f"<I{size}sI", content[start + 8 : start + 16 + size])
            assert (head_sum, record_sum) == (masked_crc32c(head), masked_crc32c(record))
            events.append(Event.FromString(record))
            start += 16 + size
    return events


def shown(events):
    """What TensorBoard shows, {name: {step: number}}: where a session starts, all from that step on goes."""
    numbers = {}
    for event in events:
        if event.session_log.status == SessionLog.START:
            for course in numbers.values():
                for step in [step for step in course if step >= event.step]:
                    del course[step]
        for value in event.summary.value:
            course = numbers.setdefault(value.tag, {})
            assert event.step not in course
            course[event.step] = value.simple_value
    return numbers


def log_of(folder, steps, first=0):
    """Logs the steps from `first` to `steps`, and a validation at the last."""
    with MetricsLog(folder, first=first, label="training", tensorboard=True) as metrics_log:
        for step in range(first, steps):
            metrics_log.add(step, 1e-3 / (step + 1), 100, {"loss": 3.0 - step + first / 100, "gradient_norm": 0.5})
        metrics_log.flush()
        metrics_log.write({"step": steps - 1, "validation": 0.25})


def test_event_files_have_the_numbers_of_metrics_jsonl_at_its_steps(tmp_path):
    log_of(tmp_path, 3)
    numbers = shown(events_of(tmp_path))
    assert numbers.pop("validation") == {2: 0.25}
    for entry in entries(tmp_path)[:3]:
        step = entry.pop("step")
        assert {name: course[step] for name, course in numbers.items()} == pytest.approx(entry, rel=1e-6)
    assert set(numbers) == {"loss", "gradient_norm", "learning_rate", "tokens_per_second"}


def test_a_resumed_run_goes_on_at_its_step_and_drops_those_it_takes_again(tmp_path):
    log_of(tmp_path, 8)
    log_of(tmp_path, 12, first=6)
    assert [event.step for event in events_of(tmp_path) if event.session_log.status == SessionLog.START] == [0, 6]
    numbers = shown(events_of(tmp_path))
    losses = {entry["step"]: entry["loss"] for entry in entries(tmp_path) if "loss" in entry}
    assert list(losses) == list(range(12)) and numbers["loss"] == pytest.approx(losses, rel=1e-6)
    assert numbers["validation"] == {11: 0.25}  # that of step 7 is gone


def test_no_event_file_is_written_where_none_is_asked_for(tmp_path):
    with MetricsLog(tmp_path, first=0, label="training") as metrics_log:
        metrics_log.write({"step": 0, "loss": 1.0})
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]
