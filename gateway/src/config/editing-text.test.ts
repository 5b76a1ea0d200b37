import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { withEntry, withItem } from './editing-text.ts'

const written = `# ours
servers:
    notes: # the first
        transport: stdio
        command: [node, ./a.js]   # aligned
    web: { transport: http, url: "https://a.example/mcp" }   # the last

# --- endpoints ---
gateways:
    main: { servers: [notes,  web] }   # both
    other:
        servers:
        - notes
        - web # too
`
const entry = { transport: 'stdio', command: ['node', './b.js', '${DIR}'], env: { A: '1', TOKEN: '${TOKEN}' } }

test('an entry is added behind the last of its section, indented like it, and nothing else changes', () => {
  expect(withEntry(written, 'servers', 'files', entry)).toBe(
    written.replace(
      '# the last\n',
      `# the last
    files:
      transport: stdio
      command: [node, ./b.js, "\${DIR}"]
      env:
        A: "1"
        TOKEN: \${TOKEN}
`,
    ),
  )
})

test.each([
  ['an empty file', ''],
  ['comments only', '# nothing yet\n'],
  ['no line break at the end', 'version: 1'],
  ['an empty section', 'version: 1\nservers: {} # none\ngateways: {}\n'],
  ['a section without a value', 'servers: # none\nversion: 1\n'],
  ['a section on one line', 'servers: { a: { transport: http, url: x } }\n'],
  ['JSON', '{"version":1}\n'],
  ['JSON with an empty section', '{\n  "servers": {},\n  "version": 1\n}\n'],
  ['JSON with a section', '{"servers":{"a":{"transport":"http","url":"x"}},"version":1}'],
  ['a last value that is a text of several lines', 'servers:\n  a:\n    url: |\n      x\n\nversion: 1\n'],
])('an entry is added to %s', (_what, text) => {
  const before = (parse(text) ?? {}) as { servers?: object }
  const after = withEntry(text, 'servers', 'files', entry)
  expect(parse(after)).toEqual({ ...before, servers: { ...before.servers, files: entry } })
  for (const [comment] of text.matchAll(/#.*/g)) expect(after).toContain(comment)
})

test('a name that is there is refused', () => {
  expect(() => withEntry(written, 'servers', 'web', entry)).toThrow('servers.web')
})

test('an item is added to a list of either form, and nothing else changes', () => {
  expect(withItem(written, ['gateways', 'main', 'servers'], 'files')).toBe(written.replace('[notes,  web]', '[notes,  web, files]'))
  expect(withItem(written, ['gateways', 'other', 'servers'], 'files')).toBe(`${written}        - files\n`)
})

test('what cannot be changed without changing something else is refused', () => {
  const shared = 'servers: &all\n  a: { url: x }\ngateways: *all\n'
  expect(() => withEntry(shared, 'servers', 'files', entry)).toThrow('--dry-run')
  expect(() => withItem(written, ['gateways', 'none', 'servers'], 'files')).toThrow('--dry-run')
})
