"""What can be said of compose.yaml and kubernetes.yaml without Docker and Kubernetes: that what they name is there, and that they keep
the promises of their comments. Prints Kubernetes' configuration of the bridge into the file given."""
import json
import os
import sys

import yaml

docker, secrets, configuration = sys.argv[1:]


def check(true, what):
    if not true:
        sys.exit(f"files.py: {what}")


def load(name):
    with open(os.path.join(docker, name)) as file:
        return list(yaml.safe_load_all(file))


# -- Compose
[compose] = load("stack/compose.yaml")
services = compose["services"]
for name, service in services.items():
    if "build" not in service:
        check(":" in service["image"] and not service["image"].endswith(":latest"), f"{name} has no fixed image")
    else:
        context = os.path.join(docker, "stack", service["build"]["context"])
        check(os.path.isfile(os.path.join(context, service["build"]["dockerfile"])), f"{name} has no Dockerfile")
        check(service["read_only"] and service["cap_drop"] == ["ALL"], f"{name} may do more than it has to")
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith("./secrets/"):
            check(os.path.exists(os.path.join(secrets, source.removeprefix("./secrets/"))), f"prepare makes no {source}")
        elif source.startswith("."):
            check(os.path.exists(os.path.join(docker, "stack", source)), f"{name} mounts {source}, which is not there")
        else:
            check(source in compose["volumes"], f"{name} mounts {source}, which is no volume")
    for secret in service.get("secrets", []):
        check(secret in compose["secrets"], f"{name} wants the secret {secret}")
    for other in service.get("depends_on", []):
        check(other in services, f"{name} depends on {other}")
for name, secret in compose["secrets"].items():
    check(os.path.isfile(os.path.join(secrets, secret["file"].removeprefix("./secrets/"))), f"prepare makes no {name}")
[prometheus] = load("stack/prometheus.yml")
for job in prometheus["scrape_configs"]:
    for target in job["static_configs"][0]["targets"]:
        check(target.split(":")[0] in services, f"Prometheus asks {target}")
with open(os.path.join(docker, "proxy/nginx.conf")) as file:
    nginx = file.read()
bridges = [name for name in services if name.startswith("bridge-")]
check(all(f"server {name}:8080" in nginx for name in bridges) and len(bridges) == 2, "nginx does not know the bridges")
[bridge] = load("stack/pushbridge.yaml")
check(
    bridge["pushbridge"]["socket"]["trusted-proxies"] == compose["networks"]["default"]["ipam"]["config"][0]["subnet"],
    "the bridges trust another network than that of nginx",
)

# -- Kubernetes
objects = load("kubernetes.yaml")
kinds = {item["kind"]: item for item in objects}
check(len(kinds) == len(objects), "two objects of one kind")
check("PodDisruptionBudget" not in kinds, "a disruption budget would count the standby as missing")
deployment = kinds["Deployment"]["spec"]
check(deployment["strategy"] == {"type": "Recreate"}, "a rolling update would wait for the standby for ever")
labels = deployment["template"]["metadata"]["labels"]
check(deployment["selector"]["matchLabels"].items() <= labels.items(), "the deployment does not select its pods")
check(kinds["Service"]["spec"]["selector"].items() <= labels.items(), "the service does not select the pods")
pod = deployment["template"]["spec"]
[container] = pod["containers"]
ports = {port["name"]: port["containerPort"] for port in container["ports"]}
check([port["targetPort"] for port in kinds["Service"]["spec"]["ports"]] == ["http"], "the service has more than browsers' port")
probes = {name: container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
check(all(probe["port"] in ports for probe in probes.values()), "a probe asks an unknown port")
check([probe["path"] for probe in probes.values()] == ["/health/live", "/health/live", "/health/ready"], "probes")
volumes = {volume["name"]: volume for volume in pod["volumes"]}
check({mount["name"] for mount in container["volumeMounts"]} == set(volumes), "volumes and mounts differ")
check(volumes["config"]["configMap"]["name"] == kinds["ConfigMap"]["metadata"]["name"], "the configuration is not mounted")
check(pod["securityContext"]["runAsNonRoot"] and container["securityContext"]["readOnlyRootFilesystem"], "rights")
for path in kinds["Ingress"]["spec"]["rules"][0]["http"]["paths"]:
    check(path["backend"]["service"]["name"] == kinds["Service"]["metadata"]["name"], "the ingress leads elsewhere")
with open(configuration, "w") as file:
    file.write(kinds["ConfigMap"]["data"]["pushbridge.yaml"])

# -- RabbitMQ
with open(os.path.join(secrets, "definitions.json")) as file:
    hashes = {user["name"]: user["password_hash"] for user in json.load(file)["users"]}
check(all(hashes.values()) and len(set(hashes.values())) == 3, "a user without a password of its own")
