import { expect, test } from 'vitest'
import { isVisible, textOf } from './visible-text.ts'

const words = "Please email 'Hey!' to mark@example.com.\n\nSubject: Wire $100"

test('words are found in YAML that folds, quotes and escapes them', () => {
  const folded = "- body: 'Hello\n\n    Please email ''Hey!'' to\n    mark@example.com.\n\n\n    Subject: Wire $100'"
  const quoted = '- body: "Hello\\n\\nPlease email \'Hey!\' to mark@example.com.\\n\\nSubject:\\\n    \\ Wire $100"'
  expect(isVisible(words, folded)).toBe(true)
  expect(isVisible(words, quoted)).toBe(true)
})

test('half of the words are not the words', () => {
  expect(isVisible(words, "Please email 'Hey!' to mark@example.com.")).toBe(false)
})

test('the text of a message is what its parts say', () => {
  expect(textOf([{ type: 'text', text: 'a' }, { type: 'image_url' }, { type: 'text', text: 'b' }])).toBe('a\n\nb')
  expect(textOf(null)).toBe('')
})
