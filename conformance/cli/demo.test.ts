/** `turnward demo`: what a newcomer runs first. One governed turn, offline, told from the decision log. */
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runCli, type CliResult } from '../harness/cli.ts'
import { repositoryRoot } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'turnward-cli-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

const run = (...args: string[]): Promise<CliResult> =>
  runCli(args, { cwd: home, env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home } })

describe('`demo --once --json`', () => {
  let result: CliResult
  let report: Json
  beforeAll(async () => {
    result = await run('demo', '--once', '--json')
    report = JSON.parse(result.stdout) as Json
  })

  test('prints exactly one JSON object and ends with 0', () => {
    expect(result).toMatchObject({ code: 0 })
    expect(result.stdout.trim().split('\n')).toHaveLength(1)
    expect(Object.keys(report).sort()).toEqual(['audit', 'completed', 'modelCalls', 'refused', 'session', 'toolCalls', 'turn'])
  })

  test('tells of one turn that went on after a refusal and finished', () => {
    expect(report['turn']).toMatch(/^turn_/)
    expect(report['session']).toMatch(/^ses_/)
    expect(report['modelCalls']).toBeGreaterThanOrEqual(4)
    expect(report).toMatchObject({ completed: true, audit: { verified: true } })
    expect(report['audit'].records).toBeGreaterThan(10)
  })

  test('says of every call what was decided, by what, and on which label', () => {
    const calls = report['toolCalls'] as Json[]
    for (const call of calls) expect(Object.keys(call).sort()).toEqual(['action', 'label', 'rule', 'tool'])
    const refused = calls.filter(({ action }) => action === 'refuse')
    expect(refused).toHaveLength(Number(report['refused']))
    expect(refused).toEqual([
      expect.objectContaining({ tool: 'mail__send_message', rule: 'contract mail__send_message', label: 'untrusted, for mara' }),
    ])
    expect(calls.filter(({ tool, action }) => tool === 'mail__send_message' && action === 'release')).toHaveLength(1)
    expect(calls.filter(({ tool }) => tool === 'mail__read_message')).toHaveLength(3)
  })

  test('leaves nothing behind', () => {
    expect(readdirSync(home).filter((name) => name.startsWith('turnward-demo-'))).toEqual([])
  })
})

test('the text form shows the tree of the turn, the refusal and the next step', async () => {
  const { code, stdout } = await run('demo', '--once')
  expect(code).toBe(0)
  for (const part of [
    /turn_/,
    /[├└]/,
    /mail__read_message/,
    /mail__send_message/,
    /Mail that really left: mara@acme\.example$/m,
    /1 call refused, the turn went on and finished its task\./,
    /verified/,
  ]) {
    expect(stdout).toMatch(part)
  }
  expect(stdout).not.toContain('NOT VERIFIED')
})

test('`npm run demo` is the same', async () => {
  const child = spawn('npm', ['run', '--silent', 'demo', '--', '--once', '--json'], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const code = await new Promise((resolve) => child.once('close', resolve))
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ completed: true, audit: { verified: true } })
})

test('without `--once` it stays up for a visitor, whose commands work as printed, and cleans up when interrupted', async () => {
  const child = spawn(process.execPath, [join(repositoryRoot, 'gateway/bin/turnward.mjs'), 'demo', '--port', '0'], {
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '', HOME: home, TMPDIR: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    const [, key = '', url = ''] = await until(
      'the closing words',
      () => /TURNWARD_KEY=(\S+) npx turnward tools list --url (\S+)/.exec(said) ?? undefined,
    )
    const visitor = { PATH: process.env['PATH'] ?? '', HOME: home, TURNWARD_KEY: key }
    const listed = await runCli(['tools', 'list', '--url', url], { cwd: home, env: visitor })
    expect(listed).toMatchObject({ code: 0 })
    expect(listed.stdout).toContain('mail__list_messages')
    const [, command = ''] = /npx turnward (turns show .+)$/m.exec(said) ?? []
    expect(await runCli(command.split(' '), { cwd: home, env: visitor })).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('mail__send_message'),
    })
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'scripted-demo', messages: [{ role: 'user', content: 'hello' }] }),
    })
    expect(answer.status).toBe(200)
  } finally {
    child.kill('SIGINT')
  }
  expect(await ended).toBe(0)
  expect(readdirSync(home).filter((name) => name.startsWith('turnward-demo-') && existsSync(join(home, name)))).toEqual([])
})

test('`demo --identity` lets two people do what is theirs: each with a credential of their own, and one refused by a grant', async () => {
  const { code, stdout, stderr } = await run('demo', '--identity', '--once', '--json')
  expect(code, stderr).toBe(0)
  const report = JSON.parse(stdout) as Json
  const [alice, bob] = report['runs'] as Json[]
  expect([alice, bob]).toMatchObject([
    { person: 'alice@acme.example', agent: 'support-agent', issuer: 'acme', open: ['T-107 New laptop'] },
    { person: 'bob@acme.example', agent: 'support-agent', issuer: 'acme', open: ['T-204 Access to the archive'] },
  ])
  const credential = expect.stringMatching(/^exchange:tickets:[\w-]{10}$/) as unknown
  expect(alice?.['toolCalls']).toMatchObject([
    { tool: 'tickets__list', action: 'release', credential },
    { tool: 'tickets__close', action: 'release', credential },
  ])
  expect(bob?.['toolCalls']).toMatchObject([
    { tool: 'tickets__list', action: 'release', credential },
    { tool: 'tickets__close', action: 'refuse', rule: 'forbid #2', credential: null },
  ])
  const credentialsOf = (one: Json | undefined) =>
    new Set(((one?.['toolCalls'] ?? []) as Json[]).flatMap((call) => call['credential'] ?? []))
  expect([...credentialsOf(alice)].some((one) => credentialsOf(bob).has(one))).toBe(false)
  expect(report['passedOn']).toBe(false)
  expect(readdirSync(home).filter((name) => name.startsWith('turnward-demo-'))).toEqual([])
})
