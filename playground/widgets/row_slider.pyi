"""The slider of the number of rows: what is typed into its field is checked where it is used, not by Gradio."""

import gradio as gr

class RowSlider(gr.Slider):
    """Gradio's own check answers a number beyond the ends with a server error; ours says what is allowed."""

    is_template = True  # for the page it is a Slider

    def preprocess(self, payload: float) -> float:
        """The number as it was typed."""
        return payload
    from collections.abc import Callable, Sequence
    from typing import TYPE_CHECKING, Any, Literal

    from gradio.blocks import Block

    if TYPE_CHECKING:
        from gradio.components import Timer
        from gradio.components.base import Component
