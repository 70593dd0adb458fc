"""The neighbour on the console's own link."""

import asyncio

from isla_console.drill.platform.services.neighbour import Neighbour
from isla_console.drill.scenario.faults import Faults, LinkLost
from tests.support.waiting import until


async def test_while_the_link_is_lost_nobody_listens() -> None:
    faults = Faults()
    neighbour = Neighbour(faults)
    port = await neighbour.open()
    task = asyncio.create_task(neighbour.run())

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    async def refuses() -> bool:
        return not await answers()

    try:
        await until(answers)
        faults.add(LinkLost())
        await until(refuses)
        faults.replace(())
        await until(answers)
    finally:
        task.cancel()
