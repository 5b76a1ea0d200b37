/** The configuration of another gateway is taken over by the command line, and what is written is one that `check` takes. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnward-import-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function turnward(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return new Promise((settle) => {
    const options = { cwd: folder, env: { PATH: process.env['PATH'], ...env } }
    execFile(process.execPath, [join(root, 'gateway/bin/turnward.mjs'), ...args], options, (error, stdout, stderr) =>
      settle({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    )
  })
}

const files = [
  ['litellm', 'model_list: [{ model_name: gpt-4o, litellm_params: { model: openai/gpt-4o, api_key: sk-S3CR3T-0123456789 } }]'],
  [
    'kong',
    'services: [{ name: a, url: "http://localhost", plugins: [{ name: ai-proxy, config: { auth: { header_name: Authorization, header_value: Bearer sk-S3CR3T-0123456789 }, model: { provider: openai, name: gpt-4o } } }] }]',
  ],
  [
    'apisix',
    'routes: [{ id: a, uri: /a, plugins: { ai-proxy: { provider: openai, auth: { header: { Authorization: Bearer sk-S3CR3T-0123456789 } }, options: { model: gpt-4o } } } }]',
  ],
] as const

test.each(files)('a file of %s becomes a configuration and a file of secrets', async (from, text) => {
  const [theirs, ours, secrets] = [`${from}-theirs.yaml`, `${from}-ours.yaml`, `${from}-secrets.env`]
  writeFileSync(join(folder, theirs), text)
  const ran = await turnward(['import', '--from', from, theirs, '--out', ours, '--secrets-file', secrets, '--json'])
  const told = JSON.parse(ran.stdout) as { readonly written: boolean; readonly findings: readonly { readonly outcome: string }[] }
  expect(told.written).toBe(true)
  expect(ran.code).toBe(told.findings.every(({ outcome }) => outcome === 'carried') ? 0 : 5)
  expect(`${ran.stdout}${ran.stderr}${readFileSync(join(folder, ours), 'utf8')}`).not.toContain('S3CR3T')
  expect(statSync(join(folder, secrets)).mode & 0o777).toBe(0o600)
  const env = Object.fromEntries(
    readFileSync(join(folder, secrets), 'utf8')
      .trim()
      .split('\n')
      .map((line) => /^(\w+)='(.*)'$/.exec(line)?.slice(1) ?? []),
  ) as Record<string, string>
  expect(await turnward(['check', '--config', ours], env)).toMatchObject({ code: 0 })
  expect(await turnward(['import', '--from', from, theirs, '--out', ours])).toMatchObject({ code: 1, stdout: '' })
})
