# Copyright (c) 2026, linuxnet.netns contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Note that this doc fragment is **PRIVATE** to the collection. It can have breaking changes at any time.

"""The options of a network behind NAT."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  name:
    description: The identity of the network; its nftables table is named after it.
    type: str
    required: true
  subnets:
    description: The IPv4 and IPv6 prefixes of the network. Needed unless O(state=absent).
    type: list
    elements: str
  interface:
    description: The inside interface, mostly a bridge, in O(netns). Needed unless O(state=absent).
    type: str
  uplink:
    description: The interface that traffic leaves by; V(auto) is the one of the default route.
    type: str
    default: auto
  masquerade:
    description:
      - Whether the inside addresses are hidden behind the address of O(uplink).
      - Without it the network is routed only, and the routers outside must know the way back.
    type: bool
    default: true
  snat_to:
    description:
      - Addresses to hide behind instead, one of each family at most, whatever O(masquerade) says for these families.
      - Each must be an address of O(uplink) (or of C(lo)), or become one in the same task. It is refused otherwise, since answers to it
        would get lost.
    type: list
    elements: str
  publish:
    description:
      - Ports of the host that lead into the network.
      - They are reached from outside by O(uplink), and from the host itself; from the network by any address of the host too, if
        O(hairpin) is true.
      - Each port that is published anew must be free. A process that listens on it, another network of this collection, or a rule of
        another nftables table or of iptables (be it iptables-nft or iptables-legacy) that leads it elsewhere is named and nothing is
        changed.
      - Connections that the kernel knows already are forgotten if their port leads elsewhere now, so that UDP clients find the new
        target.
      - A thousand ports are as quick as one for the packets that pass. They are kept in one map for each protocol and family, two if
        there are ports that keep their number.
    type: list
    elements: dict
    suboptions:
      protocol:
        description: The transport protocol.
        type: str
        choices: [sctp, tcp, udp]
        default: tcp
      host_address:
        description:
          - The address of the host that is asked for. The default is every address that it has, or will have, in the family of
            O(publish[].to_address).
          - In IPv4 the default includes V(127.0.0.1), for programs on the host; V(127.0.0.1) alone publishes for these only. For this
            C(route_localnet) of O(interface) is switched on, and what comes from there to or from V(127.0.0.0/8) is dropped.
          - V(::1) is refused. The kernel leads nothing from there to another interface.
        type: str
      host_port:
        description: A port from 1 to 65535, or a range such as V(8000-8010).
        type: str
        required: true
      to_address:
        description: The address in O(subnets) that answers.
        type: str
        required: true
      to_port:
        description: Its port, or a range of as many as O(publish[].host_port) has. The default is the same as O(publish[].host_port).
        type: str
  isolation:
    description:
      - What the network is kept from, and what is kept from it. What goes by O(uplink) and the published ports are not concerned.
      - V(networks) keeps it apart from the other networks of this collection, whatever these say.
      - V(strict) lets nothing pass but what goes by O(uplink). Of the host itself it reaches ICMP only.
      - V(none) lets networks that both say so reach each other. To interfaces of nobody's networks they get if they did before.
    type: str
    choices: [networks, none, strict]
    default: networks
  hairpin:
    description:
      - Whether the network itself reaches what it publishes by the addresses of the host. The host's address on O(interface) is what the
        server sees then, as its answers have to come back through the host.
      - Where C(br_netfilter) shows the bridge's frames to the firewall (C(net.bridge.bridge-nf-call-iptables) is V(1)), a namespace
        reaches a port of its own in this way only if its bridge port has the setting C(hairpin), which M(linuxnet.netns.netns_link) can
        give it. It is not given by itself, as a namespace then gets its own broadcasts back. Its neighbours reach it at any rate.
    type: bool
    default: true
  foreign_drop:
    description:
      - What to do where another firewall of O(netns) would drop packets of the network on their way out, on their way back, or
        between neighbours on the bridge O(interface), or those of others on their way in to what the network publishes. Chains
        at the forward hook are found in nftables tables of any family, and in those of iptables, be it iptables-nft or
        iptables-legacy.
      - Who provides for it is not asked. With V(accept) and V(fail) the network is accepted in the chain C(DOCKER-USER) of Docker and in
        C(ufw-user-forward) and C(ufw6-user-forward) of ufw, after the rules of their user; and its interface is put into the zone
        C(trusted) of firewalld, if it is in no zone yet, for as long as firewalld runs. From a trusted interface the host itself can be
        reached too.
      - V(fail) ends the task before anything is changed, where a chain of somebody else would drop the packets. The message names the
        chain, its table and the rule.
      - V(accept) accepts the network at the top of such a chain. What was accepted there stays when this is V(fail) again.
      - V(ignore) accepts it nowhere, and takes back what was accepted.
      - "The rules are known by their comment, C(linuxnet.netns: network) and O(name). They go with the network. Who makes his rules anew,
        as a reload of ufw or a restart of firewalld does, loses them; the next run puts them back."
    type: str
    choices: [accept, fail, ignore]
    default: fail
"""
