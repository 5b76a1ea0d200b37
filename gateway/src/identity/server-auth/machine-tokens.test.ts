import { expect, test } from 'vitest'
import { MachineTokens } from './machine-tokens.ts'
import type { Issued } from './token-answer.ts'

function tokens() {
  let now = 1_000_000
  let asked = 0
  let lives: number | undefined = 60_000
  const kept = new MachineTokens({ now: () => now })
  const waiting: (() => void)[] = []
  let isHeld = false
  const obtain = async (): Promise<Issued> => {
    asked += 1
    const access = `t${asked}`
    if (isHeld) await new Promise<void>((resolve) => waiting.push(resolve))
    return { access, refresh: undefined, expires: lives === undefined ? undefined : now + lives, scope: undefined }
  }
  const { signal } = new AbortController()
  return {
    get: async (key = 'k', refused?: string, own: AbortSignal = signal) => (await kept.get(key, obtain, own, refused)).access,
    kept,
    asked: () => asked,
    pass: (ms: number) => (now += ms),
    live: (ms: number | undefined) => (lives = ms),
    hold: () => (isHeld = true),
    release: () => waiting.splice(0).forEach((go) => go()),
  }
}

test('a token is used until shortly before it ends', async () => {
  const here = tokens()
  expect(await here.get()).toBe('t1')
  here.pass(44_000)
  expect(await here.get()).toBe('t1')
  here.pass(2000)
  expect(await here.get()).toBe('t2')
})

test('a token of which nobody says how long it lives is used for a while', async () => {
  const here = tokens()
  here.live(undefined)
  await here.get()
  here.pass(500_000)
  expect(await here.get()).toBe('t1')
  here.pass(100_000)
  expect(await here.get()).toBe('t2')
})

test('a token that has ended when it comes is used by whoever waited for it, and by nobody else', async () => {
  const here = tokens()
  here.live(-5000)
  expect(await here.get()).toBe('t1')
  expect(await here.get()).toBe('t2')
})

test('however many wait, one asks; what is for something else is another token', async () => {
  const here = tokens()
  here.hold()
  const all = Promise.all([here.get('a'), here.get('a'), here.get('a'), here.get('b')])
  here.release()
  expect(await all).toEqual(['t1', 't1', 't1', 't2'])
})

test('a token that was refused is not given again; whoever has a newer one keeps it', async () => {
  const here = tokens()
  await here.get()
  const all = await Promise.all([here.get('k', 't1'), here.get('k', 't1'), here.get('k', 't1')])
  expect(all).toEqual(['t2', 't2', 't2'])
  expect(await here.get('k', 't1')).toBe('t2')
  expect(here.asked()).toBe(2)
})

test('who gives up does not take it from the others', async () => {
  const here = tokens()
  here.hold()
  const impatient = new AbortController()
  const one = here.get('k', undefined, impatient.signal)
  const other = here.get('k')
  impatient.abort(new Error('enough'))
  await expect(one).rejects.toThrow('enough')
  here.release()
  expect(await other).toBe('t1')
})

test('what fails is told to all who wait, and asked for anew by the next', async () => {
  const here = tokens()
  const { signal } = new AbortController()
  const failing = (): Promise<Issued> => Promise.reject(new Error('away'))
  await expect(Promise.all([here.kept.get('k', failing, signal), here.kept.get('k', failing, signal)])).rejects.toThrow('away')
  expect(await here.get()).toBe('t1')
})
