import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { valueAt, withEntry, withItem, withoutEntry, withoutItem, withValue } from './editing-text.ts'

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

test('an entry is taken out with its own lines, and nothing else changes', () => {
  expect(withoutEntry(written, 'servers', 'notes')).toBe(written.replace(/ {4}notes: # the first\n.*\n.*\n/, ''))
  expect(withoutEntry(written, 'servers', 'web')).toBe(written.replace(/ {4}web: .*\n/, ''))
})

test.each([
  ['the first on one line', 'servers: { a: { url: x }, b: { url: y } } # two\n', 'servers: { b: { url: y } } # two\n'],
  ['the only one on one line', 'servers: { a: { url: x } }\n', 'servers: {  }\n'],
  [
    'the only one of a block',
    'servers:\n  # about it\n  a:\n    url: x # where\nversion: 1\n',
    'servers:\n  # about it\n  {}\nversion: 1\n',
  ],
  ['one of JSON', '{"servers":{"b":{"url":"y"},"a":{"url":"x"}},"version":1}', '{"servers":{"b":{"url":"y"}},"version":1}'],
  ['the last, without a line break', 'servers:\n  b: { url: y }\n  a: { url: x }', 'servers:\n  b: { url: y }\n'],
])('%s is taken out', (_what, text, after) => {
  expect(withoutEntry(text, 'servers', 'a')).toBe(after)
})

test('an item is taken out of a list of either form, and nothing else changes', () => {
  expect(withoutItem(written, ['gateways', 'main', 'servers'], 'notes')).toBe(written.replace('notes,  web', 'web'))
  expect(withoutItem(written, ['gateways', 'main', 'servers'], 'web')).toBe(written.replace('notes,  web', 'notes'))
  expect(withoutItem(written, ['gateways', 'other', 'servers'], 'notes')).toBe(written.replace('        - notes\n', ''))
  expect(withoutItem(written, ['gateways', 'other', 'servers'], 'web')).toBe(written.replace('        - web # too\n', ''))
})

test('a value of an entry is replaced where it stands, or added to it, and nothing else changes', () => {
  const command = ['node', './b.js']
  expect(withValue(written, ['servers', 'notes', 'command'], command)).toBe(written.replace('./a.js', './b.js'))
  expect(withValue(written, ['servers', 'notes', 'command'], ['./b'])).toBe(written.replace('[node, ./a.js]', '[./b]'))
  const blocks = 'servers:\n  a:\n    command:\n      - node # ours\n      - ./a.js # it\n    era: auto\n'
  expect(withValue(blocks, ['servers', 'a', 'command'], command)).toBe(blocks.replace('./a.js', './b.js'))
  const installed = { package: 'npm:a@1.0.0', tree: 'sha256:00' }
  const added = withValue(written, ['servers', 'notes', 'installed'], installed)
  expect(added).toBe(
    written.replace('# aligned\n', '# aligned\n        installed:\n          package: npm:a@1.0.0\n          tree: sha256:00\n'),
  )
  expect(withValue(added, ['servers', 'notes', 'installed'], { ...installed, tree: 'sha256:11' })).toBe(
    added.replace('sha256:00', 'sha256:11'),
  )
  expect(valueAt(added, ['servers', 'notes', 'installed'])).toEqual(installed)
})

test('what cannot be taken out or replaced without changing something else is refused', () => {
  const shared = 'servers: &all\n  a: { url: x }\n  b: { url: y }\nmore: *all\n'
  expect(() => withoutEntry(shared, 'servers', 'a')).toThrow('cannot be edited')
  expect(() => withoutEntry(written, 'servers', 'none')).toThrow('cannot be edited')
  const merged = 'servers:\n  a: &it { era: auto, command: [x] }\n  b: *it\n'
  expect(() => withValue(merged, ['servers', 'a', 'command'], ['y'])).toThrow('cannot be edited')
})
