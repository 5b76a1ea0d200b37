/**
 * Runs inside the sandbox, before the server: listens on the sandbox's own loopback, carries every connection to
 * the unix socket of the filtering proxy, and starts the server as its child. It decides nothing, and imports
 * nothing but Node, because nothing else is there.
 */
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'
import { constants } from 'node:os'

const [socketPath = '', command = '', ...args] = process.argv.slice(2)

const listener = createServer({ allowHalfOpen: true }, (client) => {
  const proxy = connect({ path: socketPath, allowHalfOpen: true })
  client.pipe(proxy)
  proxy.pipe(client)
  client.on('error', () => proxy.destroy())
  proxy.on('error', () => client.destroy())
  client.on('close', () => proxy.destroy())
  proxy.on('close', () => client.destroy())
})
listener.maxConnections = 128

listener.listen(0, '127.0.0.1', () => {
  const address = listener.address()
  if (address === null || typeof address === 'string') process.exit(70)
  const proxy = `http://127.0.0.1:${address.port}`
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
})
