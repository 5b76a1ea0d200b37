/**
 * The floor under the model floor: node:http and undici `dispatch`, nothing decided and nothing recorded. It buffers
 * the body as every gateway must and replaces the credential. Argument: the origin to forward to.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { Pool, type Dispatcher } from 'undici'
import { serve } from './serving.ts'

const pool = new Pool(process.argv[2] ?? '', { connections: 1024, pipelining: 1 })

class Pipe implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | undefined

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => this.#controller?.resume())
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    const { connection: _connection, 'transfer-encoding': _encoding, 'keep-alive': _keepAlive, ...kept } = headers
    this.#response.writeHead(status, kept)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(_controller: Dispatcher.DispatchController, _error: Error): void {
    this.#response.destroy()
  }
}

serve((request, response) => {
  const parts: Buffer[] = []
  request.on('data', (chunk: Buffer) => parts.push(chunk))
  request.once('end', () => {
    const body = parts.length === 1 ? (parts[0] ?? '') : Buffer.concat(parts)
    const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-upstream-bench-credential' }
    pool.dispatch({ method: 'POST', path: request.url ?? '/', headers, body }, new Pipe(response))
  })
})
