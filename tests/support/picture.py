"""Makes the README's picture: the console in a real drill, some minutes into its outage.

python -m tests.support.picture docs/console.svg
"""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from isla_console.clock import Clock
from isla_console.drill import client
from isla_console.drill.launch import Platform
from isla_console.session.session import Session
from isla_console.settings.resolve import Settings
from tests.support.console import console_app
from tests.support.pilot import settle
from tests.support.platform import running_platform

SIZE = (140, 40)
HEALTHY_S, ALERTED_S, WORKED_S = 30, 14, 12


async def draw(platform: Platform) -> str:
    """Watch, declare, work a little: what the screen shows then, as SVG."""
    settings = Settings.load(platform.environ | {"ISLA_ACTOR": "ana"})
    settings.host = "jump1"
    app = console_app(settings, Session(settings, Clock(wall=lambda: datetime.now(UTC))))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await asyncio.sleep(HEALTHY_S)
        assert (await client.inject(platform.control_url)).ok
        await asyncio.sleep(ALERTED_S)
        await pilot.press("d")
        await settle(pilot)
        await pilot.press("enter", "enter", "home", "enter", "f2")
        await settle(pilot)
        for key, answers in (("m", ["f2"]), ("k", ["f2"]), ("n", [*"slow since the last deployment", "f2"])):
            await pilot.press(key)
            await settle(pilot)
            await pilot.press(*("space" if answer == " " else answer for answer in answers))
            await settle(pilot)
        await pilot.press("1", "down", "space")
        await settle(pilot)
        await asyncio.sleep(WORKED_S)
        return app.export_screenshot(title="isla-console drill redirect-down")


def main(target: Path) -> None:
    """Run a drill and write the picture."""
    with tempfile.TemporaryDirectory() as folder, running_platform(Path(folder)) as platform:
        target.write_text(asyncio.run(draw(platform)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
