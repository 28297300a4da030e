"""AWS regions and Bedrock's hosts in them, by botocore's own partition data.

Responsible for: which regions there are. Their number is the number of hosts that requests can ever choose from.
Must never: make a host of a name that is not in the data, or that the operator has not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import botocore.loaders

Service = Literal["bedrock", "bedrock-mantle"]
"""The two services by their names in a signature's scope."""

Hosts = Mapping[str, Mapping[Service, str]]
"""Region -> service -> host."""


def hosts(named: Iterable[str] = ()) -> Hosts:
    """The hosts of every region that botocore knows, and of those that the operator names.

    Raises `ValueError` for a name that fits no AWS partition. A region younger than the installed botocore is one to
    name. (Partitions: botocore/data/partitions.json; ``bedrock-mantle`` has only a dual-stack host.)
    """
    partitions = botocore.loaders.create_loader().load_data("partitions")["partitions"]
    found: dict[str, Mapping[Service, str]] = {}
    for region in [*(region for partition in partitions for region in partition["regions"]), *named]:
        outputs = next(
            (part["outputs"] for part in partitions if re.match(part["regionRegex"], region, re.ASCII)), None
        )
        if outputs is not None:
            found[region] = {
                "bedrock": f"bedrock-runtime.{region}.{outputs['dnsSuffix']}",
                "bedrock-mantle": f"bedrock-mantle.{region}.{outputs['dualStackDnsSuffix']}",
            }
        elif region in named:
            raise ValueError(f"{region[:24]!r} is no AWS region; write one such as 'eu-central-1'.")
    return found
