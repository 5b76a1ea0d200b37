/** A port of the loopback that nobody listens on at this moment, and that no connection is given by itself. */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

/** Whoever needs a port before its process listens there must not lose it to an outgoing connection meanwhile. */
const belowEphemeral = { from: 15_000, to: Math.min(firstEphemeral(), 32_768) }

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(belowEphemeral.from, belowEphemeral.to)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port was found between ${belowEphemeral.from} and ${belowEphemeral.to}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}

/** Where Linux begins to take ports for outgoing connections. */
function firstEphemeral(): number {
  try {
    const from = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0])
    return from > 16_000 ? from : 32_768
  } catch {
    return 32_768
  }
}
