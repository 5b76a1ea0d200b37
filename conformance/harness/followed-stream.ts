/** An answer that is read as it comes, on a connection of its own: what of it is there, and whether it has ended. */
import { expect } from 'vitest'

export interface FollowedStream {
  text: string
  hasEnded: boolean
}

/** Resolves when the answer has begun, with status 200. */
export async function followStream(address: string, init: RequestInit, key: string): Promise<FollowedStream> {
  const response = await fetch(address, {
    ...init,
    headers: { authorization: `Bearer ${key}`, connection: 'close', 'content-type': 'application/json', ...(init.headers as object) },
  })
  expect(response.status).toBe(200)
  const stream: FollowedStream = { text: '', hasEnded: false }
  const read = async (): Promise<void> => {
    for await (const bytes of response.body ?? []) stream.text += Buffer.from(bytes).toString()
  }
  void read()
    .catch(() => {})
    .finally(() => (stream.hasEnded = true))
  return stream
}

/** A question to a model whose answer streams. */
export function streamedChat(model: string): RequestInit {
  return { method: 'POST', body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content: 'hi' }] }) }
}
