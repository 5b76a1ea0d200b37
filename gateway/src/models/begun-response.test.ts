/** An answer that has begun is read whole by whoever reads it, at that reader's own pace. */
import { describe, expect, test } from 'vitest'
import type { BodySink, UpstreamResponse } from '../providers/transport.ts'
import { BegunResponse } from './begun-response.ts'

/** An answer whose bytes come when the test says so. */
function answer(contentType = 'text/event-stream') {
  let sink: BodySink | undefined
  const asked: string[] = []
  const response: UpstreamResponse = {
    status: 200,
    headers: { 'content-type': contentType },
    read(next) {
      sink = next
    },
    pause: () => void asked.push('pause'),
    resume: () => void asked.push('resume'),
    abort: () => void asked.push('abort'),
  }
  const begun = new BegunResponse(response)
  let hasBegun = false
  begun.begun.then(
    () => (hasBegun = true),
    () => {},
  )
  return {
    begun,
    asked,
    hasBegun: async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return hasBegun
    },
    says: (text: string) => sink?.onData(Buffer.from(text)),
    ends: () => sink?.onEnd(),
    breaks: () => sink?.onError(new Error('reset')),
  }
}

function reader(on: (heard: string[]) => void = () => {}) {
  const heard: string[] = []
  const note = (what: string): void => {
    heard.push(what)
    on(heard)
  }
  const sink: BodySink = { onData: (chunk) => note(String(chunk)), onEnd: () => note('end'), onError: ({ message }) => note(message) }
  return { sink, heard }
}

describe('an answer', () => {
  test('begins with its first event, and not with comments that keep its connection alive', async () => {
    const { begun, says, hasBegun, ends } = answer()
    says(': PROCESSING\n\n')
    says(':\n\r\n')
    expect(await hasBegun()).toBe(false)
    says('data: {}\n\n')
    expect(await hasBegun()).toBe(true)
    const { sink, heard } = reader()
    begun.read(sink)
    says('data: 2\n\n')
    ends()
    expect(heard).toEqual([': PROCESSING\n\n', ':\n\r\n', 'data: {}\n\n', 'data: 2\n\n', 'end'])
  })

  test('that is whole begins with any byte, or with its end', async () => {
    const json = answer('application/json')
    json.says(' ')
    expect(await json.hasBegun()).toBe(true)
    const empty = answer('application/json')
    empty.ends()
    expect(await empty.hasBegun()).toBe(true)
    const { sink, heard } = reader()
    empty.begun.read(sink)
    expect(heard).toEqual(['end'])
  })

  test('that breaks off before that has not begun', async () => {
    const { begun, breaks } = answer()
    breaks()
    await expect(begun.begun).rejects.toThrow('reset')
  })

  test('that breaks off after it is told so to its reader', async () => {
    const { begun, says, breaks, hasBegun } = answer()
    says('data: 1\n\n')
    breaks()
    expect(await hasBegun()).toBe(true)
    const { sink, heard } = reader()
    begun.read(sink)
    expect(heard).toEqual(['data: 1\n\n', 'reset'])
  })

  test('waits for its reader, and goes on at its pace', () => {
    const { begun, says, asked } = answer()
    says('data: 1\n\n')
    expect(asked).toEqual(['pause'])
    const { sink } = reader(() => begun.pause())
    begun.read(sink)
    // Its reader has had enough with what was there.
    expect(asked).toEqual(['pause', 'pause'])
    begun.resume()
    expect(asked).toEqual(['pause', 'pause', 'resume'])
    const other = answer()
    other.says('data: 1\n\n')
    other.begun.read(reader().sink)
    expect(other.asked).toEqual(['pause', 'resume'])
  })

  test('says nothing more to a reader that has given it up', () => {
    const { begun, says, ends, asked } = answer()
    says('data: 1\n\n')
    says('data: 2\n\n')
    ends()
    const { sink, heard } = reader(() => begun.abort())
    begun.read(sink)
    expect(heard).toEqual(['data: 1\n\n'])
    expect(asked).toEqual(['pause', 'abort'])
  })
})
