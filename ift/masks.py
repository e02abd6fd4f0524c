"""The masks by name: which tokens are trained, by the role that each has."""

from collections.abc import Mapping

from ift.errors import ConfigError
from ift.roles import Role

TRAIN_ON: Mapping[str, frozenset[Role]] = {
    "all": frozenset(Role) - {Role.PAD},
    "response-and-header": frozenset({Role.HEADER, Role.RESPONSE, Role.EOS}),
    "response": frozenset({Role.RESPONSE, Role.EOS}),
}
"""The named sets of roles whose tokens are trained; any other set is legal too."""
PROMPT_ROLES = frozenset({Role.TEMPLATE, Role.INSTRUCTION, Role.INPUT, Role.HEADER})
"""The roles of a prompt's tokens: what `prompt_loss_weight` weighs, where they are trained."""


def parse_trained(text: str) -> frozenset[Role]:
    """A name from TRAIN_ON, or role names with commas: `response,eos`.

    Raises:
        ConfigError: an unknown name, or no role at all.
    """
    if text in TRAIN_ON:
        return TRAIN_ON[text]
    labels = {role.label: role for role in Role}
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in labels]
    if unknown or not names:
        fix = f"Use {', '.join(TRAIN_ON)}, or roles with commas: {', '.join(labels)}."
        raise ConfigError(f"train_on: {(unknown[0] if unknown else text)!r} is not a set of roles", fix=fix)
    return frozenset(labels[name] for name in names)


def name_trained(trained: frozenset[Role]) -> str:
    """The inverse of `parse_trained`; a comma ends the one role that has the name of a set, «response»."""
    names = {roles: name for name, roles in TRAIN_ON.items()}
    labels = ",".join(role.label for role in sorted(trained))
    return names.get(trained) or (f"{labels}," if labels in TRAIN_ON else labels)
