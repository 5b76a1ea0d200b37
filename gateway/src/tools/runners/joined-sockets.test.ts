/** Two joined sockets, one of which takes its bytes only when the test lets it. */
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import { expect, test } from 'vitest'
import { listenTcp } from './egress.fixture.ts'
import { joinSockets } from './joined-sockets.ts'

/** A client that has ended, and reads what comes for it when `read` is called. */
class SlowClient extends Socket {
  readonly taken: string[] = []
  deliver: (() => void) | undefined

  constructor() {
    super({ allowHalfOpen: true })
  }

  override _read(): void {
    this.push(null)
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.deliver = () => {
      this.taken.push(String(chunk))
      done()
    }
  }

  override _final(done: () => void): void {
    done()
  }
}

test('the last bytes wait for a slow reader although their sender has gone', async () => {
  await using service = await listenTcp((socket) => socket.end('the last bytes'))
  const far = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true })
  await once(far, 'connect')
  const near = new SlowClient()
  joinSockets(near, far, Buffer.alloc(0))
  await once(far, 'close')
  expect([near.destroyed, near.taken]).toEqual([false, []])
  near.deliver?.()
  await once(near, 'finish')
  expect(near.taken).toEqual(['the last bytes'])
})

test('a broken connection breaks the other', async () => {
  await using service = await listenTcp((socket) => {
    socket.write('half of')
    socket.once('data', () => socket.resetAndDestroy())
  })
  const far = connect({ port: service.port, host: '127.0.0.1', allowHalfOpen: true })
  await once(far, 'connect')
  const near = new SlowClient()
  const closed = once(near, 'close')
  joinSockets(near, far, Buffer.from('go on'))
  await closed
  expect(near.writableFinished).toBe(false)
})
