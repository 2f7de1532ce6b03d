"""Runs the shell commands of a CI pipeline in the current folder, as its runner would.

    pipelines.py github FILE EVENT    the steps with `run` of all jobs, for an event such as `schedule`
    pipelines.py gitlab FILE JOB      before_script, script and after_script of one job

Secrets and variables come from the environment. What a runner does itself (checkout, cache, upload) is
left out: the caller has laid out what it would have brought, and finds the files that it would take.
Knows as much of both languages as docs/nightly uses, and stops at the rest.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

from ruamel.yaml import YAML


def expression(text, event, failed):
    """Gives the value of an expression of GitHub; unknown words are an error."""
    names = {
        "github.event_name": event,
        "github.ref": "refs/heads/main",
        "github.run_id": "1",
        "github.run_attempt": "1",
        "runner.temp": os.environ["RUNNER_TEMP"],
        "steps.linkdial.outputs.cache-hit": "false",
    }

    def word(match):
        name = match[0]
        if name.startswith("'"):
            return name
        if name.startswith(("secrets.", "vars.")):
            return repr(os.environ[name.split(".")[1]])
        if name in ("always", "success", "failure", "hashFiles"):
            return name
        return repr(names[name])

    text = re.sub(r"'[^']*'|[A-Za-z_][\w.-]*", word, text)
    text = text.replace("&&", " and ").replace("||", " or ")
    functions = {
        "always": lambda: True,
        "success": lambda: not failed,
        "failure": lambda: failed,
        "hashFiles": lambda *names: "x" if any(map(glob.glob, names)) else "",
    }
    return eval(text, {"__builtins__": {}}, functions)


def filled(text, event):
    """Fills in `${{ }}`."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda m: str(expression(m[1].strip(), event, False)), str(text))


def shell(command, script, environment):
    print(f"pipelines: {script.strip()}", flush=True)
    return subprocess.run([*command, script], env=environment, check=False).returncode


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def github(document, event):
    """Runs all jobs; false when a step has failed."""
    if event not in document["on"]:
        sys.exit(f"pipelines: nothing happens on {event}")
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        os.environ["RUNNER_TEMP"] = folder
        environment = dict(os.environ)
        for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"):
            environment[name] = os.path.join(folder, name)
            open(environment[name], "w").close()
        environment |= {name: filled(value, event) for name, value in document.get("env", {}).items()}
        for job in document["jobs"].values():
            for step in job["steps"]:
                condition = step.get("if", "success()")
                # Without a word about it a step needs all those before.
                needs = not re.search(r"\b(always|failure)\(", condition)
                if (needs and failed) or not expression(condition, event, failed):
                    continue
                if "uses" in step:
                    print(f"pipelines: left out: {step['uses']}")
                    continue
                own = {name: filled(value, event) for name, value in step.get("env", {}).items()}
                code = shell(["bash", "-e", "-c"], filled(step["run"], event), environment | own)
                failed |= code != 0
                environment |= (line.split("=", 1) for line in lines(environment["GITHUB_ENV"]))
                path = [*reversed(lines(environment["GITHUB_PATH"])), os.environ["PATH"]]
                environment["PATH"] = ":".join(path)
        # Where the caller looks for it.
        with open("step-summary.md", "w", encoding="utf-8") as file:
            file.write("\n".join(lines(environment["GITHUB_STEP_SUMMARY"])))
    return not failed


def gitlab(document, name):
    """Runs a job; false when it has failed."""
    job = document[name]
    if "extends" in job:
        job = document[job["extends"]] | job
    environment = os.environ | {"CI_PROJECT_DIR": os.getcwd()}
    for variables in (document.get("variables", {}), job.get("variables", {})):
        for key, value in variables.items():
            environment[key] = re.sub(r"\$(\w+)", lambda m: environment[m[1]], str(value))
    script = [*job.get("before_script", []), *job["script"]]
    # One shell for both, which stops at the first failure.
    code = shell(["sh", "-e", "-c"], "\n".join(script), environment)
    shell(["sh", "-e", "-c"], "\n".join(job.get("after_script", [])), environment)
    return code == 0


def main():
    runner, file, what = sys.argv[1:]
    with open(file, encoding="utf-8") as text:
        document = YAML(typ="safe").load(text)
    run = {"github": github, "gitlab": gitlab}[runner]
    # Python ends with 1 when it is at fault itself.
    sys.exit(0 if run(document, what) else 10)


main()
