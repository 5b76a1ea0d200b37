/** What every server of the bench does alike: listen on a free loopback port, say so, and end with whoever started it. */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export function serve(listener: RequestListener): void {
  const server = createServer({ keepAliveTimeout: 65_000 }, listener)
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`${JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${port}` })}\n`)
  })
  process.once('SIGTERM', () => process.exit(0))
  process.stdin.resume().once('end', () => process.exit(0))
}
