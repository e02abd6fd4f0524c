"""What Gradio keeps for every open page, without what nobody asks for here."""

from types import SimpleNamespace

import gradio as gr
from gradio.state_holder import SessionState, StateHolder


class States(StateHolder):
    """Gradio's own, but that no page has a copy of all widgets' settings.

    Gradio makes one for each page and keeps it up to date, for its deep links alone, which the guard refuses: it takes
    half a megabyte, and most of the time that a new page costs.
    """

    def __getitem__(self, session_id: str) -> SessionState:
        """The state of a page, a new one where it has none."""
        if session_id not in self.session_data:
            # of the widgets that are not in `blocks` no copy is made
            state = SessionState(SimpleNamespace(default_config=self.blocks.default_config, blocks={}))
            state.config_values = _Unkept()
            self.session_data[session_id] = state
        return super().__getitem__(session_id)


class _Unkept(dict):
    """Settings that are empty, and stay so."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: object) -> dict:
        return {}

    def __setitem__(self, key: object, value: object) -> None:
        pass


def use_states(page: gr.Blocks) -> None:
    """From now on; pages that are open already begin anew."""
    page.app.state_holder = States()
    page.app.state_holder.set_blocks(page)
