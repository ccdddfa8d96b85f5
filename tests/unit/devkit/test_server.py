"""What the node is started with."""

from pathlib import Path

from touchstone.devkit.java import Java
from touchstone.devkit.server import java_command, server_properties


def test_the_node_listens_on_this_machine_only() -> None:
    """Both listeners are bound to the loopback address, and clients are sent there."""
    lines = server_properties(Path("/data"), 19092, 19093, {}).splitlines()

    assert "listeners=PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093" in lines
    assert "advertised.listeners=PLAINTEXT://127.0.0.1:19092" in lines
    assert "auto.create.topics.enable=false" in lines


def test_a_setting_of_ones_own_overrides_and_is_written_once() -> None:
    """Kafka would take the last of two; a reader of the file might take the first."""
    lines = server_properties(Path("/data"), 1, 2, {"num.io.threads": "9", "log.retention.ms": "1000"}).splitlines()

    assert [line for line in lines if line.startswith("num.io.threads")] == ["num.io.threads=9"]
    assert "log.retention.ms=1000" in lines


def test_figures_are_never_taken_with_half_a_compiler() -> None:
    """The quick profile stops at the first compiler; the bench profile does not."""
    java = Java(Path("java"), 17)

    quick = java_command(java, (Path("a.jar"), Path("b.jar")), "test", "kafka.Kafka", "server.properties")
    bench = java_command(java, (Path("a.jar"), Path("b.jar")), "bench", "kafka.Kafka", "server.properties")

    assert "-XX:TieredStopAtLevel=1" in quick
    assert "-XX:TieredStopAtLevel=1" not in bench
    assert quick[-4:] == bench[-4:] == ["-cp", "a.jar:b.jar", "kafka.Kafka", "server.properties"]
