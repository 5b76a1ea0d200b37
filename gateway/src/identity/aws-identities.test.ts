import { beforeEach, describe, expect, test, vi } from 'vitest'
import { AwsIdentities, type GivenKeys } from './aws-identities.ts'

const minute = 60_000
const identity = { from: 'container' } as const

let asked: number
let next: () => Promise<GivenKeys>
let identities: AwsIdentities

beforeEach(() => {
  asked = 0
  next = () => Promise.resolve(keys('one', 60 * minute))
  identities = new AwsIdentities(() =>
    Promise.resolve(() => {
      asked += 1
      return next()
    }),
  )
})

function keys(name: string, expires?: number): GivenKeys {
  const given = { accessKeyId: name, secretAccessKey: `secret of ${name}`, sessionToken: 't' }
  return expires === undefined ? given : { ...given, expiration: new Date(expires) }
}
const one = { kind: 'aws', accessKeyId: 'one', secretAccessKey: 'secret of one', sessionToken: 't' }
const two = { kind: 'aws', accessKeyId: 'two', secretAccessKey: 'secret of two', sessionToken: 't' }

describe('keys that a machine is given', () => {
  test('are asked for once, however many calls need them', async () => {
    const given = await Promise.all(Array.from({ length: 20 }, async () => identities.credential(identity, 0)))
    expect(given).toEqual(given.map(() => one))
    expect(identities.credential(identity, 54 * minute)).toEqual(one)
    expect(asked).toBe(1)
  })

  test('are kept for ever when they do not expire', async () => {
    next = () => Promise.resolve(keys('one'))
    await identities.credential(identity, 0)
    expect(identities.credential(identity, 1e15)).toEqual(one)
  })

  test('are renewed before they expire', async () => {
    await identities.credential(identity, 0)
    next = () => Promise.resolve(keys('two', 120 * minute))
    expect(await identities.credential(identity, 56 * minute)).toEqual(two)
    expect(identities.credential(identity, 57 * minute)).toEqual(two)
    expect(asked).toBe(2)
  })

  test('are used to the end when new ones cannot be had, and not beyond', async () => {
    await identities.credential(identity, 0)
    next = () => Promise.reject(new Error('no role'))
    expect(await identities.credential(identity, 56 * minute)).toEqual(one)
    expect(await identities.credential(identity, 56 * minute + 1)).toEqual(one)
    expect(asked).toBe(2)
    await expect(identities.credential(identity, 60 * minute)).rejects.toThrow('no role')
  })

  test('that cannot be had are not asked for by every call', async () => {
    next = () => Promise.reject(new Error('no role'))
    for (const now of [0, 1, 4_999]) await expect(identities.credential(identity, now)).rejects.toThrow('no role')
    expect(asked).toBe(1)
    next = () => Promise.resolve(keys('one', 60 * minute))
    expect(await identities.credential(identity, 5_000)).toEqual(one)
  })

  test('are not waited for for ever', async () => {
    vi.useFakeTimers()
    try {
      next = () => new Promise(() => {})
      const given = expect(identities.credential(identity, 0)).rejects.toThrow('within')
      await vi.advanceTimersByTimeAsync(15_000)
      await given
    } finally {
      vi.useRealTimers()
    }
  })

  test('belong to one identity each', async () => {
    const names: string[] = []
    const all = new AwsIdentities((asking) => Promise.resolve(() => (names.push(JSON.stringify(asking)), Promise.resolve(keys('one')))))
    await all.credential({ from: 'profile', profile: 'a' }, 0)
    await all.credential({ from: 'profile', profile: 'b' }, 0)
    await all.credential({ from: 'instance' }, 0)
    await all.credential({ from: 'profile', profile: 'a' }, 0)
    expect(names).toHaveLength(3)
  })

  test('cannot be had where AWS’s code cannot be loaded', async () => {
    const broken = new AwsIdentities(() => Promise.reject(new Error('no such module')))
    await expect(broken.credential(identity, 0)).rejects.toThrow('no such module')
  })
})
