import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { parseClientFile, readClientFile } from './reading-client-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-clients-'))
  return () => rm(folder, { recursive: true, force: true })
})

test.each([
  ['{"a": 1}', { a: 1 }],
  ['{ // why\n "a": [1, 2,], /* and */ "b": "http://x", }', { a: [1, 2], b: 'http://x' }],
  ['', {}],
])('%j is read as editors read it', (text, value) => {
  expect(parseClientFile(text, 'json')).toEqual(value)
})

test('TOML is read', () => {
  expect(parseClientFile('[mcp_servers.a]\ncommand = "x"\n', 'toml')).toEqual({ mcp_servers: { a: { command: 'x' } } })
})

test.each([
  ['json', '{\n  "a": SECRET }', 'is not JSON at 2:8'],
  ['json', '{"a": "SECRET', 'is not JSON'],
  ['toml', 'a = "SECRET\n', 'is not TOML at 1:12'],
  ['json', `${'['.repeat(70)}${']'.repeat(70)}`, 'is nested more than 64 levels deep'],
] as const)('what is wrong with %s is said without quoting it', (format, text, told) => {
  let message = ''
  try {
    parseClientFile(text, format)
  } catch (error) {
    message = error instanceof Error ? error.message : ''
  }
  expect(message).toContain(told)
  expect(message).not.toContain('SECRET')
})

test.each([
  ['json', '{"__proto__": {"polluted": true}}'],
  ['toml', '[__proto__]\npolluted = true\n'],
] as const)('a key of %s never reaches the prototype of anything', (format, text) => {
  expect(Object.keys(parseClientFile(text, format) as object)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('a file that is missing, too large, a folder or a pipe is told, and not waited for', async () => {
  const path = (name: string): string => join(folder, name)
  await writeFile(path('large.json'), Buffer.alloc(10 * 1024 * 1024, ' '))
  execFileSync('mkfifo', [path('pipe.json')])
  await writeFile(path('binary.json'), Buffer.from([0xff, 0xfe, 0x7b, 0x00]))
  const reasons = await Promise.all(
    ['none.json', 'large.json', 'pipe.json', 'binary.json', '.'].map((name) =>
      readClientFile(path(name)).catch((error: unknown) => String(error)),
    ),
  )
  expect(reasons).toEqual([
    'Error: does not exist',
    'Error: is larger than 8388608 bytes',
    'Error: is not a regular file',
    'Error: is not valid UTF-8',
    'Error: is a folder',
  ])
})

test('a link is followed, as people keep such files elsewhere; what it leads to is not quoted', async () => {
  await writeFile(join(folder, 'real.json'), '{"a": 1}')
  await symlink(join(folder, 'real.json'), join(folder, 'link.json'))
  await symlink('/etc/passwd', join(folder, 'elsewhere.json'))
  expect(await readClientFile(join(folder, 'link.json'))).toEqual({ a: 1 })
  await expect(readClientFile(join(folder, 'elsewhere.json'))).rejects.toThrow(/^is not JSON(?: at \d+:\d+)?$/)
})
