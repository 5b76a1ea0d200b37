/** The thread that reads large messages, one at a time. */
import { parentPort } from 'node:worker_threads'
import { readLarge, type LargeForm } from './reading-large.ts'

parentPort?.on('message', ({ message, form }: { readonly message: Uint8Array | string; readonly form: LargeForm }) => {
  const text = typeof message === 'string' ? message : Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('utf8')
  const reading = readLarge(text, form)
  parentPort?.postMessage(reading, 'body' in reading ? [reading.body.buffer as ArrayBuffer] : [])
})
