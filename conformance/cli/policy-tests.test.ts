/** `turnward policy test`: the shipped example passes, a contract that was loosened is noticed, and a mistake in a test is told at its line. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { runCli } from '../harness/cli.ts'

const example = join(import.meta.dirname, '../../examples/policy-tests')
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'turnward-policy-tests-'))
  await cp(example, folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const env = { TURNWARD_DEV_KEY: 'tw_example_key_for_the_check_only' }
const run = (...args: readonly string[]) =>
  runCli(['policy', 'test', '--config', join(folder, 'turnward.yaml'), ...args], { env, cwd: folder })

async function change(file: string, from: string, to: string): Promise<void> {
  const path = join(folder, file)
  const text = await readFile(path, 'utf8')
  expect(text).toContain(from)
  await writeFile(path, text.replace(from, to))
}

test('the example passes, found beside its configuration', async () => {
  const { code, stdout } = await run('--json')
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, cases: 3, failed: 0 })
})

test.each([
  [
    'a trust that is no longer asked for',
    'requires: { trust: trusted, audience:',
    'requires: { audience:',
    'gaps audience, trust, got audience',
  ],
  ['an amount that anybody may name', 'from: [principal]', 'from: [principal, trusted], trust: any', 'expected refuse, got release'],
  [
    'a mailbox that is called trusted',
    'inbox__*": { output: { trust: untrusted',
    'inbox__*": { output: { trust: trusted',
    'expected a session of trust untrusted, got trusted',
  ],
  ['a migration that may come twice', ', not_done: [migration.applied]', '', 'expected refuse, got release'],
])('%s is noticed', async (_what, from, to, said) => {
  await change('turnward.yaml', from, to)
  const { code, stdout } = await run()
  expect(code).toBe(5)
  expect(stdout).toContain('NOT OK')
  expect(stdout).toContain(said)
  const { stdout: json } = await run('--json')
  const { results } = JSON.parse(json) as { results: Json[] }
  const [failure] = results.flatMap((result) => result['failures'] as Json[])
  expect(failure).toMatchObject({ line: expect.any(Number), tool: expect.any(String) })
})

test.each([
  ['a key nobody knows', 'expect: release, ends: open', 'expct: release, ends: open', 'policy-tests.yaml:44:30  unknown key `expct`'],
  ['a step of no kind', '- says: Please', '- say: Please', 'a step is one of `call`, `read`, `says`, `instructs`'],
  ['a kind of gap there is not', 'gaps: [provenance]', 'gaps: [provenence]', '`provenence`'],
])('%s is told, and nothing is played', async (_what, from, to, said) => {
  await change('policy-tests.yaml', from, to)
  const { code, stdout, stderr } = await run()
  expect(code).toBe(3)
  expect(stdout).toBe('')
  expect(stderr).toContain(said)
})

test('a case that expects nothing could not fail, and is refused', async () => {
  await writeFile(join(folder, 'policy-tests.yaml'), 'cases:\n  - { name: n, who: alice, steps: [{ says: hello }] }\n')
  const { code, stderr } = await run()
  expect([code, stderr]).toEqual([3, expect.stringContaining('could not fail')])
})

test('somebody nobody declared is an error, unless the case says which groups', async () => {
  await writeFile(join(folder, 'policy-tests.yaml'), 'cases:\n  - { name: n, who: alise, steps: [{ call: mail__send, expect: refuse }] }\n')
  expect((await run()).stderr).toContain('did you mean `alice`?')
  await writeFile(
    join(folder, 'policy-tests.yaml'),
    'cases:\n  - { name: n, who: { principal: zoe, groups: [interns] }, steps: [{ call: mail__send, args: { to: a@b.example }, expect: refuse, gaps: [grant] }] }\n',
  )
  expect((await run()).code).toBe(0)
})
