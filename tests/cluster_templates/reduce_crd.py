"""Reduce KubeRay's definition of a RayJob to what a template may say: `python reduce_crd.py CRD.yaml COMMIT`.

CRD.yaml is ray-operator/config/crd/bases/ray.io_rayjobs.yaml of https://github.com/ray-project/kuberay (Apache-2.0),
1.4 MB, most of it Kubernetes' own pods. Kept of version v1: `spec` without what it describes in words, and of pods
the keys of `PODS`. Every object that lists its keys is closed, so that whatever the schema accepts KubeRay accepts, and
a misspelt key, which Kubernetes would drop, is an error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml

PODS = {
    "": ("containers", "volumes", "terminationGracePeriodSeconds", "nodeSelector", "tolerations", "serviceAccountName"),
    "containers": ("name", "image", "resources", "volumeMounts", "env", "command", "args", "imagePullPolicy"),
    "volumes": ("name", "persistentVolumeClaim", "emptyDir", "configMap", "secret", "hostPath"),
}
"""of the specification of a pod, and of its lists of that name"""
_LEFT_OUT = (
    "submitterPodTemplate", "submitterConfig", "autoscalerOptions", "headService", "networkPolicy", "valueFrom",
    "gcsFaultToleranceOptions", "historyServerOptions", "tlsOptions", "deletionStrategy", "ingressOptions",
    "upgradeStrategy", "scaleStrategy",
)  # fmt: skip
"""whole sections that no template of ours has"""


def reduced(crd: dict[str, Any], commit: str) -> dict[str, Any]:
    """A JSON Schema."""
    (version,) = (one for one in crd["spec"]["versions"] if one["name"] == "v1")
    whole = version["schema"]["openAPIV3Schema"]
    spec = _closed(_without(whole["properties"]["spec"]))
    for group in (
        spec["properties"]["rayClusterSpec"]["properties"]["headGroupSpec"],
        spec["properties"]["rayClusterSpec"]["properties"]["workerGroupSpecs"]["items"],
    ):
        pod = group["properties"]["template"]["properties"]["spec"]
        _keep(pod, PODS[""])
        for name in ("containers", "volumes"):
            _keep(pod["properties"][name]["items"], PODS[name])
    return {
        "$comment": "KubeRay, https://github.com/ray-project/kuberay, Apache-2.0, commit "
        f"{commit}: ray-operator/config/crd/bases/ray.io_rayjobs.yaml, reduced by reduce_crd.py",
        "type": "object",
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": "ray.io/v1"},
            "kind": {"const": "RayJob"},
            "metadata": {"type": "object", "required": ["name"]},
            "spec": spec,
        },
    }


def _keep(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    schema["properties"] = {name: schema["properties"][name] for name in names}


def _without(schema: Any) -> Any:
    """The schema less its words, and less sections that are not needed."""
    if isinstance(schema, list):
        return [_without(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    left = {key: _without(value) for key, value in schema.items() if key not in ("description", "default")}
    if isinstance(schema.get("properties"), dict):
        left["properties"] = {k: _without(v) for k, v in schema["properties"].items() if k not in _LEFT_OUT}
    return left


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    if made.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    return {key: value for key, value in made.items() if not key.startswith("x-kubernetes")}


if __name__ == "__main__":
    crd = yaml.safe_load(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(reduced(crd, sys.argv[2]), indent=1, sort_keys=True))
