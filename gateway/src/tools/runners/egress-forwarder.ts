/**
 * Runs inside the sandbox, before the server: listens on the sandbox's own loopback, carries every connection to the
 * unix socket it belongs to, and starts the server as its child. It decides nothing, and imports nothing but Node,
 * because nothing else is there.
 */
import { spawn } from 'node:child_process'
import { connect, createServer, type AddressInfo } from 'node:net'
import { constants } from 'node:os'

const [folder = '', listeners = '[]', command = '', ...args] = process.argv.slice(2)
const forwards = JSON.parse(listeners) as readonly { readonly address: string; readonly port: number; readonly socket: string }[]
const maxConnections = 128

/** Resolves with the port; 0 asks for a free one. A program that cannot listen here has no use for going on. */
function listen(address: string, port: number, socket: string): Promise<number> {
  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const outside = connect({ path: `${folder}/${socket}`, allowHalfOpen: true })
    client.pipe(outside)
    outside.pipe(client)
    client.on('error', () => outside.destroy())
    outside.on('error', () => client.resetAndDestroy())
    client.on('close', () => outside.destroy())
    // Closed before both sides had ended: that is not the end of an answer.
    outside.on('close', () => (outside.readableEnded && outside.writableFinished ? client.destroySoon() : client.resetAndDestroy()))
  })
  listener.maxConnections = maxConnections
  return new Promise((resolve) => {
    listener.once('error', (error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(70)
    })
    listener.listen(port, address, () => resolve((listener.address() as AddressInfo).port))
  })
}

await Promise.all(forwards.map(({ address, port, socket }) => listen(address, port, socket)))
const proxy = `http://127.0.0.1:${await listen('127.0.0.1', 0, 'http')}`
const server = spawn(command, args, {
  stdio: 'inherit',
  env: {
    ...process.env,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: '',
    no_proxy: '',
    NODE_USE_ENV_PROXY: '1',
  },
})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => server.kill(signal))
server.on('error', (error) => {
  process.stderr.write(`${error.message}\n`)
  process.exit(127)
})
server.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 0) : 128 + constants.signals[signal]))
