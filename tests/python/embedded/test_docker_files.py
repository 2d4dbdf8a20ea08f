# SPDX-License-Identifier: Apache-2.0
"""The compose file and the Kubernetes manifests are valid, and keep the names that jobs and habits rely on."""

import subprocess
import sys
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


def test_shell_scripts_parse():
    scripts = [*TOP.glob("docker/*.sh"), *TOP.glob("python/sbin/*.sh"), TOP / "dev"]
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
    assert len(scripts) > 5
