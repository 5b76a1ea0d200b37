/**
 * `/api/handles/{id}`: what a handle stands for, shown to the person it was withheld for and to nobody else, least of all to an agent
 * with a key of theirs. A browser saves it as text and runs nothing of it.
 */
import type { ServerResponse } from 'node:http'
import { TurnwardError } from '../core/error.ts'
import { renderForPerson } from '../turns/quarantine/rendering-for-person.ts'
import { readHandle } from '../turns/quarantine/handle-text.ts'
import { withheldFor } from '../turns/quarantine/withheld-results.ts'
import type { Services } from '../turns/services.ts'

export interface ShownHandle {
  /** Principal id. */
  readonly person: string
  /** The application it was withheld in; '' for none. */
  readonly consumer: string
  readonly handle: string
}

/** Throws `request.not_found` for what there is not, and for what is of somebody else. */
export async function showHandle(services: Services, response: ServerResponse, { person, consumer, handle }: ShownHandle): Promise<void> {
  const id = readHandle(handle)?.id
  const result = id === undefined ? undefined : await withheldFor(services, { person, consumer }, id)
  if (result === undefined)
    throw new TurnwardError('request.not_found', {
      subject: handle.slice(0, 64),
      why: 'there is no such handle of yours, or its session is forgotten',
      fix: 'A handle that was withheld in an application is found with `?consumer=NAME`.',
    })
  const text = Buffer.from(renderForPerson(result.text))
  response
    .writeHead(200, {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `attachment; filename="${id ?? 'handle'}.txt"`,
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-length': text.length,
    })
    .end(text)
}
