# SPDX-License-Identifier: Apache-2.0
"""The compose file and the Kubernetes manifests are valid, and keep the names that jobs and habits rely on."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

TOP = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent


def check(*command):
    done = subprocess.run(
        [str(BIN / command[0]), *map(str, command[1:])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_file_fits_its_schema():
    check(
        "check-jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        TOP / "docker-compose.yml",
    )


def test_compose_file_keeps_names_ports_and_volumes():
    compose = yaml.safe_load((TOP / "docker-compose.yml").read_text())
    services = compose["services"]
    assert {"spark-master", "spark-worker", "spark-history-server"} <= set(services)
    ports = {p for s in services.values() for p in s.get("ports", ())}
    assert {p.removeprefix("127.0.0.1:") for p in ports} >= {
        "9090:8080",
        "7077:7077",
        "15002:15002",
        "18080:18080",
    }
    assert services["spark-worker"]["volumes"] == [
        "./dados:/opt/spark/data",
        "./jobs:/opt/spark/apps",
        "spark-logs:/opt/spark/spark-events",
    ]
    # `--scale spark-worker=3` needs a service without a name and a published port of its own
    assert not {"container_name", "ports"} & set(services["spark-worker"])


def test_manifests_fit_their_schemas():
    check("kubernetes-validate", "--strict", *sorted((TOP / "docker/kubernetes").glob("*.yaml")))


def pod(name):
    """Return what the manifest's container is started with: its arguments, its environment."""
    secrets = yaml.safe_load((TOP / "docker/kubernetes/secret.yaml").read_text())["stringData"]
    documents = yaml.safe_load_all((TOP / f"docker/kubernetes/{name}.yaml").read_text())
    (deployment,) = [d for d in documents if d["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    environment = {}
    for entry in container["env"]:
        source = entry.get("valueFrom", {})
        if "secretKeyRef" in source:
            environment[entry["name"]] = secrets[source["secretKeyRef"]["key"]]
        else:
            environment[entry["name"]] = entry.get("value", "127.0.0.1")
    return container["args"], environment


def test_pods_start_and_let_each_other_in(tmp_path):
    """Each with the secrets that its manifest gives it: on all addresses, without --insecure."""
    processes = []

    def start(name, said, *arguments):
        args, environment = pod(name)
        environment |= {"PATH": f"{BIN}:{os.environ['PATH']}", "SPARK_HISTORY_DIR": str(tmp_path)}
        for port in ("MASTER", "MASTER_WEBUI", "CONNECT", "WORKER_WEBUI", "HISTORY"):
            environment[f"SPARK_{port}_PORT"] = "0"
        log = tmp_path / f"{name}.log"
        with log.open("w") as out:
            command = [str(TOP / "docker/entrypoint.sh"), args[0], *arguments]
            processes.append(subprocess.Popen(command, env=environment, stderr=out))
        until = time.monotonic() + 30
        while not re.search(said, log.read_text()):
            assert time.monotonic() < until and processes[-1].poll() is None, log.read_text()
            time.sleep(0.02)
        return re.search(said, log.read_text())

    try:
        found = start("master", r"spark://0\.0\.0\.0:(\d+)(.*\n)+.*web pages at")
        start("worker", "attached to", f"spark://127.0.0.1:{found.group(1)}")
        start("history", r"http://0\.0\.0\.0:")
    finally:
        for process in processes:
            process.terminate()
    assert [process.wait(30) for process in processes] == [0, 0, 0]


def test_shell_scripts_parse():
    scripts = [*TOP.glob("docker/*.sh"), *TOP.glob("python/sbin/*.sh"), TOP / "dev"]
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
    assert len(scripts) > 5
