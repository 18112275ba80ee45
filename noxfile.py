# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check and every build of the project. `nox -l` lists the sessions; `make help` the usual ones."""

from __future__ import annotations

import logging
import os
import pathlib
import shutil
import sys

import nox

ROOT = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tools"))

import antsibull_nox  # noqa: E402
import gates  # noqa: E402
import pythons  # noqa: E402
import sshd  # noqa: E402
import tree  # noqa: E402

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["test"]

# Tools find their interpreters on PATH, nox among them: real ones first and no shims.
os.environ["PATH"] = os.pathsep.join([str(pythons.link_into(tree.cache_of(ROOT) / "pythons")), *pythons.search_path()])
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
# So that the tools read and write UTF-8 whatever the user's locale is.
os.environ.setdefault("PYTHONUTF8", "1")

# For what does not depend on the version: the newest that the Python of .venv can run.
ANY_CORE = "ansible-core>=2.19"
UNITS = ("3.9", "3.10", "3.11", "3.12", "3.13")
# The newest ansible-core that one of this machine's Pythons can run.
NEWEST = next((core for core in ("2.21", "2.20") if set(pythons.CONTROLLERS[core]) & set(pythons.available())), "2.19")
# The name of the session to the ansible-core and the pyroute2 that it runs with.
INTEGRATION = {"nopyroute2": ("2.19", None), "0.7.2": ("2.19", "pyroute2==0.7.2"), "newest": (NEWEST, "pyroute2")}

# Where pyroute2 makes a difference: what a commit runs with each version of it.
WITH_PYROUTE2 = ("netns_info", "netns_link", "netns_topology")
# The controller's side, and what takes long: once is enough.
ONCE = ("become_netns", "examples", "inventory_netns", "playbook_diagram")
TARGETS = {
    "nopyroute2": tuple(word for target in (*ONCE, "become_netns_all") for word in ("--exclude", target)),
    "0.7.2": WITH_PYROUTE2,
    "newest": (*WITH_PYROUTE2, *ONCE),
}

antsibull_nox.load_antsibull_nox_toml()


def _core(version: str) -> str:
    return f"ansible-core=={version}.*"


def _tree(session: nox.Session) -> pathlib.Path:
    """Go to this session's copy of the collection; Ansible finds only that one."""
    place = tree.sync(ROOT, session.name)
    session.env["ANSIBLE_COLLECTIONS_PATH"] = str(place.parents[2])
    session.chdir(place)
    return place


def _scratch(session: nox.Session) -> pathlib.Path:
    """A folder for what a session writes on its way, beside its tree."""
    folder = tree.cache_of(ROOT) / session.name / "scratch"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _sandbox(session: nox.Session, *command: str, outside: bool = False) -> None:
    """Run a command where it may change the network as it likes, without a way out to the network."""
    options = ["--outside"] if outside else []
    # Without root we are root of a user namespace, whose home as the password file has it is not ours to write in.
    session.env["ANSIBLE_REMOTE_TMP"] = str(_scratch(session) / "ansible")
    session.run("python", str(ROOT / "tools" / "sandbox.py"), *options, "exec", "--", *command)


def _with_sshd(session: nox.Session, needed: bool = True) -> None:
    """Put a sshd on PATH, for hosts to reach: from a sandbox there is no way to Debian's packages."""
    try:
        session.env.update(sshd.environment(sshd.get(ROOT / "build" / "sshd")))
    except sshd.SshdError as exc:
        if needed:
            session.error(str(exc))
        # else the tests that want one say that they are skipped


def _ansible_test(session: nox.Session) -> None:
    session.run("python", str(ROOT / "tools" / "seed_get_pip.py"), silent=True)
    _tree(session)


# ---- static checks ---------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """Python by ruff (check and format), YAML by yamllint, the changelog's fragments."""
    session.install("ruff==0.17.*", "yamllint==1.*", "antsibull-changelog>=0.36", ANY_CORE)
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", "--check", ".")
    session.run("yamllint", "--strict", ".")
    session.run("antsibull-changelog", "lint")


@nox.session
def typing(session: nox.Session) -> None:
    """The engine by mypy in strict mode, where no Ansible can be imported."""
    session.install("mypy==2.*")
    place = _tree(session)
    session.chdir(place.parents[2])
    package = "ansible_collections.linuxnet.netns.plugins.module_utils._engine"
    cache = f"--cache-dir={_scratch(session)}"
    session.run("mypy", f"--config-file={place}/.mypy.ini", cache, "--package", package, env={"MYPYPATH": "."})


@nox.session(name="ansible-lint")
def ansible_lint(session: nox.Session) -> None:
    """Roles, playbooks and tests by ansible-lint, profile production, nothing skipped."""
    session.install("ansible-lint==26.*", ANY_CORE)
    _tree(session)
    session.run("ansible-lint", "--offline", "--strict", "--nocolor", *session.posargs)


@nox.session
def galaxy(session: nox.Session) -> None:
    """Build the artifact and import it as Galaxy does; what the importer calls an error fails."""
    session.install("galaxy-importer>=0.4.40", ANY_CORE)
    place = _tree(session)
    output = _scratch(session)
    config = output / "galaxy-importer.cfg"
    config.write_text("[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = True\n", encoding="utf-8")
    artifact = _build(session, place, output)
    session.chdir(output)
    environment = {"GALAXY_IMPORTER_CONFIG": str(config)}
    log = session.run("python", "-m", "galaxy_importer.main", artifact.name, silent=True, env=environment) or ""
    print(log)
    errors = [line for line in log.splitlines() if line.startswith("ERROR")]
    if errors:
        session.error("galaxy-importer reports: " + "; ".join(errors))


# ---- ansible-test ----------------------------------------------------------------------------------------------------


def _add_sanity(core: str) -> None:
    @nox.session(name=f"sanity-{core}", python=pythons.first_of(*pythons.CONTROLLERS[core]))
    def sanity(session: nox.Session) -> None:
        session.install(_core(core), "pip")
        _ansible_test(session)
        ignored = [str(path) for path in pathlib.Path("tests/sanity").glob("ignore*.txt")]
        if ignored:
            session.error(f"no sanity test is ignored here, so these files may not exist: {', '.join(ignored)}")
        session.run("ansible-test", "sanity", "--venv", "--color", "no", *session.posargs)

    sanity.__doc__ = f"ansible-test sanity with ansible-core {core}, no ignore entry."


def _add_units(version: str) -> None:
    core = "2.21" if version == "3.13" else "2.19"

    @nox.session(name=f"units-{version}", python=pythons.first_of(*pythons.CONTROLLERS[core]))
    def units(session: nox.Session) -> None:
        session.install(_core(core), "pip")
        _ansible_test(session)
        session.run("ansible-test", "units", "--venv", "--python", version, "--color", "no", *session.posargs)

    units.__doc__ = f"Unit tests on Python {version}."


def _add_integration(name: str, targets: tuple[str, ...], prefix: str) -> None:
    core, pyroute2 = INTEGRATION[name]

    @nox.session(name=f"{prefix}-{name}", python=pythons.first_of(*pythons.CONTROLLERS[core]))
    def integration(session: nox.Session) -> None:
        session.install(_core(core), "pip", *([pyroute2] if pyroute2 else []))
        _tree(session)
        _with_sshd(session, needed=False)
        options = ["--local", "--allow-root", "--allow-destructive", "--continue-on-error", "--color", "no"]
        _sandbox(session, "ansible-test", "integration", *options, *(session.posargs or targets), outside=True)

    what = "Integration targets" if targets else "All integration targets"
    integration.__doc__ = f"{what} on this kernel with ansible-core {core} and {pyroute2 or 'no pyroute2'}."


def _add_reliability(session_name: str, version: str, *options: str) -> None:
    core, pyroute2 = INTEGRATION[version]

    @nox.session(name=session_name, python=pythons.first_of(*pythons.CONTROLLERS[core]))
    def reliability(session: nox.Session) -> None:
        session.install(_core(core), "pytest", "hypothesis", str(pyroute2))
        place = _tree(session)
        session.env["PYTHONPATH"] = str(place.parents[2])
        suite = ["python", "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", *options]
        _sandbox(session, *suite, *(session.posargs or ["tests/reliability"]))

    what = "A sample of the reliability suite" if options else "All of the reliability suite"
    reliability.__doc__ = f"{what}: killed, refused, crowded and misused runs, with {pyroute2}."


def _add_hosts(release: str) -> None:
    @nox.session(name=f"hosts-{release}", python=pythons.first_of(*pythons.CONTROLLERS["2.19"]))
    def hosts(session: nox.Session) -> None:
        session.install(_core("2.19"), "pytest")
        _tree(session)
        tree = session.run("python", "tests/hosts/root_trees.py", release, silent=True)
        suite = ["python", "-m", "pytest", "-q", "-rfEs", "-p", "no:cacheprovider", "--tree", str(tree).strip()]
        _sandbox(session, *suite, *(session.posargs or ["tests/hosts"]))

    hosts.__doc__ = f"As root: on hosts with systemd and Debian {release}, beside other people's firewalls as real services."


for _version in pythons.CONTROLLERS:
    _add_sanity(_version)
for _version in UNITS:
    _add_units(_version)
for _version in INTEGRATION:
    _add_integration(_version, TARGETS[_version], "integration")
for _version in ("0.7.2", "newest"):
    _add_integration(_version, (), "integration-all")
    _add_reliability(f"reliability-all-{_version}", _version)
_add_reliability("reliability", "newest", "--short")
for _release in ("12", "13"):
    _add_hosts(_release)


@nox.session
def molecule(session: nox.Session) -> None:
    """Molecule's scenarios on hosts made of namespaces, in a sandbox and as root; other words for molecule after --."""
    session.install("molecule==26.*", ANY_CORE)
    _tree(session)
    _with_sshd(session)
    session.env["MOLECULE_EPHEMERAL_DIRECTORY"] = str(_scratch(session) / "molecule")
    _sandbox(session, "molecule", *(session.posargs or ("test", "--all", "--report")), outside=True)


def _add_ssh_hosts(session_name: str, *options: str) -> None:
    @nox.session(name=session_name)
    def ssh_hosts(session: nox.Session) -> None:
        session.install(ANY_CORE, "pip")
        _tree(session)
        _with_sshd(session)
        _sandbox(session, "bash", "tests/ssh_hosts/run.sh", *(session.posargs or options), outside=True)

    what = "Some of the tests" if options else "All tests"
    ssh_hosts.__doc__ = f"{what} of role molecule_hosts and of playbook fleet on such hosts, over SSH, in a sandbox and as root."


_add_ssh_hosts("ssh-hosts", "--short")
_add_ssh_hosts("ssh-hosts-all")


@nox.session
def runner(session: nox.Session) -> None:
    """The project tests/runner by ansible-runner, and what ansible-builder finds for an execution environment."""
    session.install("ansible-runner>=2.4", "ansible-builder>=3.1", ANY_CORE)
    _tree(session)
    _sandbox(session, "python", "tests/runner/run.py", *session.posargs, outside=True)


# ---- what a user calls -----------------------------------------------------------------------------------------------


@nox.session
def lab(session: nox.Session) -> None:
    """Run the lab playbook in a sandbox with a simulated Internet, or for real on the host given."""
    session.install(ANY_CORE)
    _tree(session)
    session.env["ANSIBLE_LOCALHOST_WARNING"] = "False"
    # A host that the inventory does not have is an error: an empty run would look like a success.
    session.env["ANSIBLE_HOST_PATTERN_MISMATCH"] = "error"
    if session.posargs:
        # The user's own inventory says how to reach the host, so the playbook runs from where the user stands.
        session.chdir(ROOT)
        session.env["ANSIBLE_COLLECTIONS_PATH"] += f":{os.environ.get('ANSIBLE_COLLECTIONS_PATH', '~/.ansible/collections')}"
        target, *more = session.posargs
        session.run("ansible-playbook", "linuxnet.netns.lab", "--extra-vars", f"target={target}", *more)
    else:
        _sandbox(session, "ansible-playbook", "linuxnet.netns.lab", outside=True)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, in a sandbox: one no-op run, stars of 10 and 100 namespaces beside ip -batch; -- --full for all sizes and goals."""
    session.install(ANY_CORE, "pyroute2", "matplotlib")
    place = _tree(session)
    # so that --json, --markdown and --svg FILE are written where the user stands
    session.chdir(ROOT)
    _sandbox(session, "python", str(place / "tests" / "benchmark" / "run.py"), *session.posargs)


@nox.session(name="bench-peers")
def bench_peers(session: nox.Session) -> None:
    """Measure, in a sandbox: the same star by other tools and by loops of tasks, beside netns_topology."""
    session.install(ANY_CORE, "pyroute2", "munet")
    place = _tree(session) / "tests" / "benchmark"
    session.chdir(ROOT)
    packages = str(ROOT / "build" / "peers")
    session.run("python", str(place / "peers_packages.py"), packages)
    _sandbox(session, "python", str(place / "peers.py"), "--packages", packages, *session.posargs)


@nox.session(name="bench-fleet")
def bench_fleet(session: nox.Session) -> None:
    """Measure, in a sandbox and as root: a topology on each of 20 hosts over SSH, beside ansible.builtin.ping."""
    session.install(ANY_CORE, "pyroute2")
    place = _tree(session) / "tests" / "benchmark"
    session.chdir(ROOT)
    _with_sshd(session)
    _sandbox(session, "python", str(place / "fleet.py"), *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation as HTML into build/docs."""
    session.install("antsibull-docs>=2.20", "sphinx", "sphinx-ansible-theme", ANY_CORE)
    _tree(session)
    source, output = _scratch(session) / "docs", ROOT / "build" / "docs"
    for folder in (source, output):
        shutil.rmtree(folder, ignore_errors=True)
    source.mkdir(parents=True)
    names = ["--use-current", "--squash-hierarchy", "--dest-dir", str(source), "linuxnet.netns"]
    session.run("antsibull-docs", "sphinx-init", *names)
    # Links into other projects' pages need their inventories from the network; a build must not.
    with (source / "conf.py").open("a", encoding="utf-8") as configuration:
        configuration.write("\nintersphinx_mapping = {}\n")
    rst = source / "rst"
    session.run("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--dest-dir", str(rst), "linuxnet.netns")
    session.run("sphinx-build", "-q", "-b", "html", "-c", str(source), str(rst), str(output))
    print(f"build succeeded: {(output / 'index.html').relative_to(ROOT)}")


def _build(session: nox.Session, place: pathlib.Path, output: pathlib.Path) -> pathlib.Path:
    for old in output.glob("linuxnet-netns-*.tar.gz"):
        old.unlink()
    session.run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(output), str(place), silent=True)
    return next(output.glob("linuxnet-netns-*.tar.gz"))


@nox.session
def build(session: nox.Session) -> None:
    """Build the collection's artifact into build/, from what git knows."""
    session.install(ANY_CORE)
    place = _tree(session)
    output = ROOT / "build"
    output.mkdir(exist_ok=True)
    print(f"built: {_build(session, place, output).relative_to(ROOT)}")


@nox.session(venv_backend="none")
def clean(session: nox.Session) -> None:
    """Remove everything that the other sessions made, and this checkout's trees in the cache."""
    made = ("build", "docs/_build", "tests/output", ".ansible", ".cache", ".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache")
    for name in made:
        shutil.rmtree(ROOT / name, ignore_errors=True)
    shutil.rmtree(tree.cache_of(ROOT), ignore_errors=True)
    shutil.rmtree(ROOT / ".nox", ignore_errors=True)


def _all_gates(session: nox.Session, wanted: tuple[gates.Gate, ...]) -> None:
    if session.posargs:
        names = set(session.posargs)
        unknown = names - {gate.name for gate in wanted}
        if unknown:
            session.error(f"no such gate: {', '.join(sorted(unknown))}")
        wanted = tuple(gate for gate in wanted if gate.name in names)
    fine, text = gates.run_all(ROOT, wanted)
    # The total is to be the last line, so nox keeps its own closing words to itself.
    logging.disable(logging.CRITICAL)
    print(text, flush=True)
    if not fine:
        session.error()


@nox.session(venv_backend="none")
def test(session: nox.Session) -> None:
    """Every gate of a commit, with a summary; names of gates as arguments run only those."""
    _all_gates(session, gates.COMMIT)


@nox.session(name="test-all", venv_backend="none")
def test_all(session: nox.Session) -> None:
    """Every gate of a commit and those that take longer."""
    _all_gates(session, gates.COMMIT + gates.MORE)
