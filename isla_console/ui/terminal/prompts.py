"""Replacing the prompts of some options of an `OptionList` without rendering all of them again."""

from __future__ import annotations

from collections.abc import Mapping

from textual.content import Content
from textual.geometry import Region
from textual.widgets import OptionList


def replace_prompts(options: OptionList, prompts: Mapping[int, Content]) -> None:
    """Give the options at these indexes new prompts and repaint their lines alone.

    The public `OptionList.replace_option_prompt_at_index` renders every line of the list again; with metrics
    that change every second that is most of an idle console's work.

    Args:
        options: A list of options of which each fills one line, before and after.
        prompts: The new prompts, by index in `options.options`.
    """
    if not prompts:
        return
    changed = {options.options[index]: prompt for index, prompt in prompts.items()}
    for option, prompt in changed.items():
        option._set_prompt(prompt)
    cache = options._option_render_cache
    for key in [key for key in cache.keys() if key[0] in changed]:  # noqa: SIM118
        cache.discard(key)
    top, region = options.scroll_offset.y, options.scrollable_content_region
    lines = [index - top for index in prompts if 0 <= index - top < region.height]
    if lines:
        options.refresh(*(Region(0, line, region.width, 1) for line in lines))
