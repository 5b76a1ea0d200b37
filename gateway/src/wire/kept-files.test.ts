/** Files as two vendors' clients bring and list them, and where requests of three dialects name them. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../core/json.ts'
import { dialectByName } from './dialects.ts'
import type { FileFacts, KeptFiles, NamedFile } from './kept-files.ts'

const { 'chat-completions': chat, messages, responses } = dialectByName
const forms = { openai: chat.files as KeptFiles, anthropic: messages.files as KeptFiles }

const pdf: FileFacts = {
  id: 'f1',
  name: 'a.pdf',
  purpose: 'user_data',
  mediaType: 'application/pdf',
  bytes: 3,
  created: 1_500,
  expires: 9_999,
}
const content = Buffer.from('abc')
const named = (of: typeof chat, body: JsonObject): readonly NamedFile[] => of.namedFiles?.(body) ?? []

function form(fields: Readonly<Record<string, string | File>>): FormData {
  const made = new FormData()
  for (const [name, value] of Object.entries(fields)) made.append(name, value)
  return made
}
const file = (name: string, type = ''): File => new File(['abc'], name, { type })

describe('a request', () => {
  test.each<[string, typeof chat, JsonObject, string, JsonObject]>([
    [
      'of Chat Completions',
      chat,
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'user', content: [{ type: 'file', file: { file_id: 'f1' } }] },
        ],
      },
      'messages[1].content[0].file.file_id',
      {
        messages: [
          { role: 'user', content: 'x' },
          { role: 'user', content: [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,YWJj' } }] },
        ],
      },
    ],
    [
      'of Responses, in a message',
      responses,
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f1', filename: 'mine.pdf' }] }] },
      'input[0].content[0].file_id',
      { input: [{ role: 'user', content: [{ type: 'input_file', filename: 'mine.pdf', file_data: 'data:application/pdf;base64,YWJj' }] }] },
    ],
    [
      'of Responses, in what a tool answered',
      responses,
      { input: [{ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_image', file_id: 'f1', detail: 'low' }] }] },
      'input[0].output[0].file_id',
      {
        input: [
          {
            type: 'function_call_output',
            call_id: 'c',
            output: [{ type: 'input_image', image_url: 'data:application/pdf;base64,YWJj', detail: 'low' }],
          },
        ],
      },
    ],
    [
      'of Responses, as a picture of a screen',
      responses,
      { input: [{ type: 'computer_call_output', output: { type: 'computer_screenshot', file_id: 'f1' } }] },
      'input[0].output.file_id',
      { input: [{ type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: 'data:application/pdf;base64,YWJj' } }] },
    ],
    [
      'of Messages',
      messages,
      { messages: [{ role: 'user', content: [{ type: 'document', title: 't', source: { type: 'file', file_id: 'f1' } }] }] },
      'messages[0].content[0].source.file_id',
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'document', title: 't', source: { type: 'base64', media_type: 'application/pdf', data: 'YWJj' } }],
          },
        ],
      },
    ],
    [
      'of Messages, in the result of a tool',
      messages,
      {
        messages: [
          {
            role: 'user',
            content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'image', source: { type: 'file', file_id: 'f1' } }] }],
          },
        ],
      },
      'messages[0].content[0].content[0].source.file_id',
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 't',
                content: [{ type: 'image', source: { type: 'base64', media_type: 'application/pdf', data: 'YWJj' } }],
              },
            ],
          },
        ],
      },
    ],
  ])('%s has the content in place of the name', (_what, dialect, body, at, filled) => {
    const found = named(dialect, body)
    expect(found.map((one) => [one.id, one.at])).toEqual([['f1', at]])
    found[0]?.put(pdf, content)
    expect(body).toEqual(filled)
  })

  test('of Messages has text as text, and refuses what is neither text nor picture nor PDF', () => {
    const body: JsonObject = { messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f1' } }] }] }
    const [found] = named(messages, body)
    expect(() => found?.put({ ...pdf, mediaType: 'application/zip' }, content)).toThrow('application/zip')
    found?.put({ ...pdf, mediaType: 'text/csv' }, content)
    expect(body.messages).toEqual([
      { role: 'user', content: [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'abc' } }] },
    ])
  })

  test.each<[string, typeof chat, JsonObject]>([
    ['without files', chat, { messages: [{ role: 'user', content: 'file_id' }] }],
    ['with the file itself', chat, { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'x' } }] }] }],
    [
      'whose answer cites a file',
      responses,
      { input: [{ role: 'assistant', content: [{ type: 'output_text', annotations: [{ type: 'file_citation', file_id: 'f' }] }] }] },
    ],
    ['that is no request', messages, { messages: { type: 'document' } }],
  ])('%s names none', (_what, dialect, body) => {
    expect(named(dialect, body)).toEqual([])
  })
})

describe('an upload', () => {
  test.each([
    ['a.PDF', '', 'application/pdf'],
    ['a.pdf', 'text/plain; charset=utf-8', 'text/plain'],
    ['a.jsonl', 'application/octet-stream', 'application/jsonl'],
    ['a', 'no type', 'application/octet-stream'],
  ])('of %s that says `%s` is one of %s', (name, said, mediaType) => {
    expect(forms.openai.upload(form({ file: file(name, said), purpose: 'vision' }))).toMatchObject({ name, mediaType, purpose: 'vision' })
    expect(forms.anthropic.upload(form({ file: file(name, said) }))).toMatchObject({ name, mediaType, ttlMs: undefined })
  })

  test('has a name without a path, and says how long it is wanted', () => {
    const upload = forms.openai.upload(
      form({
        file: file('..\\x/../a\r\nb.txt'),
        purpose: 'batch',
        'expires_after[anchor]': 'created_at',
        'expires_after[seconds]': '3600',
      }),
    )
    expect(upload).toMatchObject({ name: expect.stringMatching(/^a(%0D%0A)?b\.txt$/), ttlMs: 3_600_000 })
    expect(forms.anthropic.upload(form({ file: file('a.txt'), expires_in_seconds: '7776000' })).ttlMs).toBe(7_776_000_000)
  })

  test.each<[keyof typeof forms, Readonly<Record<string, string | File>>, string]>([
    ['openai', { file: file('a'), purpose: 'fine-tune' }, 'purpose'],
    ['openai', { file: 'text', purpose: 'batch' }, 'file'],
    ['openai', { file: file('a'), purpose: 'batch', 'expires_after[seconds]': '3599' }, 'expires_after[seconds]'],
    ['openai', { file: file('a'), purpose: 'batch', 'expires_after[anchor]': 'last_use' }, 'expires_after[anchor]'],
    ['openai', { file: file('a'), purpose: 'batch', more: 'x' }, 'more'],
    ['anthropic', { file: file('a'), expires_in_seconds: 'soon' }, 'expires_in_seconds'],
  ])('in the form of %s with %o is refused, and the field named', (of, fields, field) => {
    expect(() => forms[of].upload(form(fields))).toThrow(`(${field})`)
  })
})

describe('a list', () => {
  const files = ['c', 'b', 'a'].map((id, at): FileFacts => ({
    ...pdf,
    id,
    purpose: id === 'b' ? 'batch' : 'user_data',
    created: 9000 - at,
  }))
  const page = (of: keyof typeof forms, query: string): JsonObject => forms[of].page(files, new URLSearchParams(query))
  const ids = ({ data }: JsonObject): unknown[] => (data as JsonObject[]).map(({ id }) => id)

  test('of OpenAI goes on behind an id, in both orders, of one purpose', () => {
    expect(page('openai', '')).toMatchObject({ object: 'list', first_id: 'c', last_id: 'a', has_more: false })
    expect([ids(page('openai', 'limit=2')), page('openai', 'limit=2').has_more]).toEqual([['c', 'b'], true])
    expect(ids(page('openai', 'after=b'))).toEqual(['a'])
    expect(ids(page('openai', 'order=asc&after=b'))).toEqual(['c'])
    expect(ids(page('openai', 'purpose=batch'))).toEqual(['b'])
    for (const query of ['limit=0', 'limit=x', 'order=up', 'after=z']) expect(() => page('openai', query)).toThrow('request')
  })

  test('of Anthropic goes on and back, page by page, or has the files that are named', () => {
    expect([ids(page('anthropic', 'limit=2')), page('anthropic', 'limit=2').next_page]).toEqual([['c', 'b'], 'b'])
    expect([ids(page('anthropic', 'page=b')), page('anthropic', 'page=b').next_page]).toEqual([['a'], null])
    expect(ids(page('anthropic', 'after_id=c&limit=1'))).toEqual(['b'])
    expect(ids(page('anthropic', 'before_id=a&limit=1'))).toEqual(['b'])
    expect(ids(page('anthropic', 'ids[]=a&ids[]=z&limit=1'))).toEqual(['a'])
  })
})
