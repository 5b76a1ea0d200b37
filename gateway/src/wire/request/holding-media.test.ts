/** What is no text in a request, as each dialect writes it. */
import { expect, test } from 'vitest'
import { holdsMedia } from './holding-media.ts'

test.each([
  { type: 'image_url', image_url: { url: 'https://a.example/b.png' } },
  { type: 'input_audio', input_audio: { data: 'AA==', format: 'wav' } },
  { type: 'file', file: { file_id: 'file-1' } },
  { type: 'image', source: { type: 'url', url: 'https://a.example/b.png' } },
  { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'words' } },
  { type: 'input_image', image_url: 'https://a.example/b.png' },
  { type: 'input_file', file_id: 'file-1' },
  { inlineData: { mimeType: 'image/png', data: 'AA==' } },
  { fileData: { fileUri: 'gs://a/b' } },
  { image: { format: 'png', source: { bytes: 'AA==' } } },
  { video: { format: 'mp4', source: { s3Location: { uri: 's3://a/b' } } } },
])('%j', (part) => {
  expect(holdsMedia({ messages: [{ role: 'user', content: [{ type: 'text', text: 'Look.' }, part] }] })).toBe(true)
})

test.each([
  { messages: [{ role: 'user', content: 'An image of a document, in a file: "image_url".' }] },
  { contents: [{ role: 'user', parts: [{ text: 'image' }] }], audio: null },
  { input: [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'x' }] }], store: false },
])('%j has none', (request) => {
  expect(holdsMedia(request)).toBe(false)
})
