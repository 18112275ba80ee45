# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: netns
short_description: Run any module inside a network namespace
version_added: 0.1.0
author:
  - linuxnet.netns contributors (@linuxnet)
description:
  - Every module of every collection, and M(ansible.builtin.raw), runs inside a network namespace of the host, over any connection.
  - The namespace is entered as C(ip netns exec) does, in a mount namespace of the task's own. C(/sys) shows the namespace's interfaces,
    so that facts are its facts, and the files under C(/etc/netns/NAME) stand in the place of those in C(/etc).
  - To enter takes root. A login that is not root becomes root by C(sudo); a login that is root needs no C(sudo) and ignores
    the options for it.
  - Files and processes are the host's. Temporary files, C(copy) and C(fetch) work as without the namespace.
requirements:
  - On the host C(ip) of iproute2, and C(setpriv) of util-linux where O(netns_user) is not V(root).
options:
  netns_name:
    description:
      - The name of the namespace, as C(ip netns list) shows it. A path is refused; M(linuxnet.netns.netns) gives a name to the namespace
        of a process.
      - On a host where it is missing, the task fails and names it.
    type: string
    required: true
    ini:
      - section: netns_become_plugin
        key: name
    vars:
      - name: ansible_netns_name
    env:
      - name: ANSIBLE_NETNS_NAME
  netns_user:
    description:
      - The user that the module runs as inside the namespace, with this user's groups and home folder.
      - The keyword C(become_user) is ignored; this is used instead.
    type: string
    default: root
    ini:
      - section: netns_become_plugin
        key: user
    vars:
      - name: ansible_netns_user
    env:
      - name: ANSIBLE_NETNS_USER
  become_exe:
    description: The C(sudo) program, for a login that is not root.
    type: string
    default: sudo
    ini:
      - section: netns_become_plugin
        key: sudo_executable
    vars:
      - name: ansible_netns_sudo_exe
    env:
      - name: ANSIBLE_NETNS_SUDO_EXE
  become_flags:
    description: Options for C(sudo), for a login that is not root. Where there is a password, C(-n) is left out.
    type: string
    default: -H -S -n
    ini:
      - section: netns_become_plugin
        key: sudo_flags
    vars:
      - name: ansible_netns_sudo_flags
    env:
      - name: ANSIBLE_NETNS_SUDO_FLAGS
  become_pass:
    description: The password for C(sudo), for a login that is not root and that C(sudo) asks for one. C(--ask-become-pass) sets it too.
    type: string
    ini:
      - section: netns_become_plugin
        key: sudo_password
    vars:
      - name: ansible_become_password
      - name: ansible_become_pass
      - name: ansible_netns_sudo_pass
    env:
      - name: ANSIBLE_BECOME_PASS
      - name: ANSIBLE_NETNS_SUDO_PASS
notes:
  - There is no option C(become_user) on purpose. Ansible leaves out becoming, without a word, where the login and C(become_user) are the
    same; a play that connects as root and becomes root would run on the host and say that all went well.
  - A file under C(/etc/netns/NAME) is bound over the one in C(/etc). Modules can read it there, but not replace it. So
    M(ansible.builtin.template) and M(ansible.builtin.copy) fail with C(EBUSY) on C(/etc/resolv.conf) where the namespace has one of its
    own. Write C(/etc/netns/NAME/resolv.conf) from outside, or give O(linuxnet.netns.netns#module:nameservers).
  - What a task mounts inside is gone when the task ends.
  - A service that is started inside runs outside, because C(systemd), the host's first process, starts it and not the task. Its unit
    needs C(NetworkNamespacePath=/run/netns/NAME).
  - Facts that are gathered inside replace those of the host, if both are the same inventory host. Give a namespace an inventory host of
    its own where facts matter.
  - With O(netns_user) and without pipelining, Ansible has to hand its temporary files over to this user, as described under "Risks of
    becoming an unprivileged user" in its documentation. It does so before this plugin has its turn. For a user that the host does not
    have it fails with words of its own, "Failed to change ownership of the temporary files" or "Failed to set permissions on the
    temporary files". With pipelining the task says that the host has no such user.
seealso:
  - module: linuxnet.netns.netns
  - plugin: ansible.builtin.sudo
    plugin_type: become
"""

EXAMPLES = r"""
---
- name: Ask a server from inside namespace blue
  hosts: all
  become: true
  become_method: linuxnet.netns.netns
  vars:
    ansible_netns_name: blue
  tasks:
    - name: Get a page
      ansible.builtin.uri:
        url: http://203.0.113.10/

- name: Run one task inside, as an ordinary user and without Python
  hosts: all
  gather_facts: false
  tasks:
    - name: Show the namespace's addresses
      ansible.builtin.raw: ip -brief address
      changed_when: false
      become: true
      become_method: linuxnet.netns.netns
      vars:
        ansible_netns_name: blue
        ansible_netns_user: nobody
"""

import re
import shlex
import typing as t

from ansible.errors import AnsibleError, AnsibleRequiredOptionError
from ansible.plugins.become import BecomeBase

from ansible_collections.linuxnet.netns.plugins.module_utils._engine import values
from ansible_collections.linuxnet.netns.plugins.module_utils._engine.errors import InputError

# Run by the login; only the host knows whether that is root. $@ is what has to be run as root.
_AS_ROOT = 'test "$(id -u)" = 0 || set -- {sudo} "$@"; exec "$@"'

# Run by root; $4 and what follows is what has to be run inside.
#
# It is iproute2's `ip netns exec` that enters: it is on every host that has namespaces with names, needs no Python (raw), and mounts
# /sys and the files of /etc/netns as every other user of these namespaces sees them. It does not say in its exit code whether it could
# enter or the program failed, so it is asked before, which takes 3 ms.
#
# A reason goes to the controller in the line with the sign that becoming went well, for which check_success looks. A connection that does
# not ask it takes the line after that for a module's result; and what Ansible sends upon the sign, a module, is read.
_ENTER_LINES = """
success=$1; netns=$2; user=$3; shift 3;
fail() {
  reason=$(printf %s "$1" | tr '"\\134' "'/" | tr -s '[:space:][:cntrl:]' ' ');
  echo "NETNS-FAILED $reason $success";
  test -t 0 || timeout 1 cat > /dev/null 2>&1;
  printf '{"failed": true, "msg": "%s"}' "$reason";
  test -t 2 || echo "$reason" >&2;
  exit 1;
};
ip=$(PATH=$PATH:/usr/sbin:/sbin command -v ip) || fail "this host has no program ip, which namespaces are entered by: install iproute2";
test -e "/run/netns/$netns" || fail "this host has no network namespace '$netns': make it, or correct ansible_netns_name";
said=$("$ip" netns exec "$netns" true 2>&1) || fail "network namespace '$netns' cannot be entered: $said";
test "$user" = root || {
  group=$(id -g -- "$user" 2> /dev/null) || fail "this host has no user '$user': make it, or correct ansible_netns_user";
  command -v setpriv > /dev/null || fail "this host has no program setpriv, which another user than root takes: install util-linux";
  USER=$(id -nu -- "$user"); LOGNAME=$USER; HOME=$(getent passwd "$user" | cut -d : -f 6);
  export HOME LOGNAME USER;
  set -- setpriv --reuid="$user" --regid="$group" --init-groups "$@";
};
exec "$ip" netns exec "$netns" "$@"
"""
# Not every login's shell takes more than one line between quotes.
_ENTER = " ".join(_ENTER_LINES.split())


_FAILED = re.compile(rb"NETNS-FAILED (.*) (BECOME-SUCCESS-\w+)")


class _User(str):
    """A user who is never taken for the login, because of which Ansible would leave out becoming and with it the namespace.

    For this it asks by ``!=``. What it asks by ``==`` is which files this user can read, and that stays true.
    """

    def __ne__(self, other: object) -> bool:
        return True


class BecomeModule(BecomeBase):
    name = "linuxnet.netns.netns"

    # What sudo says of passwords.
    fail = ("Sorry, try again.",)
    missing = ("Sorry, a password is required to run sudo", "sudo: a password is required")

    def set_options(self, task_keys: t.Any = None, var_options: t.Any = None, direct: t.Any = None) -> None:
        try:
            super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        except AnsibleRequiredOptionError:
            raise AnsibleError("ansible_netns_name is not set: name the namespace to run in") from None

    def get_option(self, option: str, hostvars: t.Any = None, playcontext: t.Any = None) -> t.Any:
        # Not an option, but asked for: whose the temporary files are, and whose home ~ is
        if option == "become_user":
            return _User(super().get_option("netns_user", hostvars=hostvars))
        return super().get_option(option, hostvars=hostvars, playcontext=playcontext)

    def build_become_command(self, cmd: str, shell: t.Any) -> str:
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        try:
            netns = values.namespace_name(self.get_option("netns_name"), "ansible_netns_name")
        except InputError as exc:
            raise AnsibleError(str(exc)) from exc
        as_root = _script(_AS_ROOT.format(sudo=shlex.join(self._sudo())))
        inside = [*_script(_ENTER), self.success, netns, self.get_option("netns_user")]
        return f"{shlex.join([*as_root, *inside])} {self._build_success_command(cmd, shell)}"

    def check_success(self, b_output: bytes) -> bool:
        # Asked by local and ssh before anything else is taken for output. What runs inside, raw too, can then not be taken for the
        # reason of a failure, nor the reason for its output, which for ssh with a terminal has the lines of stderr too.
        for reason, success in _FAILED.findall(b_output):
            if success == self.success.encode():
                raise AnsibleError(reason.decode(errors="replace"))
        return bool(super().check_success(b_output))

    def _sudo(self) -> list[str]:
        flags = shlex.split(self.get_option("become_flags") or "")
        if not self.get_option("become_pass"):
            return [self.get_option("become_exe"), *flags]
        self.prompt = f"[sudo via ansible, key={self._id}] password:"
        # with it sudo would not ask
        asking = [flag if flag.startswith("--") else re.sub(r"^(-\w*)n", r"\1", flag) for flag in flags if flag != "--non-interactive"]
        return [self.get_option("become_exe"), *(flag for flag in asking if flag != "-"), "-p", self.prompt]


def _script(text: str) -> list[str]:
    """A script as the words that run it, up to its arguments."""
    return ["/bin/sh", "-c", text, "netns"]
