/** Every way to break a configuration in `fixtures/bad` gives exactly the text next to it. `vitest -u` writes them anew. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { ConfigError } from './problems.ts'

const folder = join(import.meta.dirname, 'fixtures', 'bad')
const env = { OPENAI_API_KEY: 'sk-fixture-not-a-real-key', HOME: '/nowhere' }

async function failure(name: string): Promise<ConfigError> {
  const error = await loadConfig(join(folder, `${name}.yaml`), env).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof ConfigError)) throw new Error(`${name} should be refused with a ConfigError`, { cause: error })
  return error
}

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.slice(0, -'.yaml'.length))

describe('a broken configuration is explained at the line and column', () => {
  test.each(names)('%s', async (name) => {
    const { text, problems } = await failure(name)
    await expect(`${text}\n`).toMatchFileSnapshot(join(folder, `${name}.txt`))
    expect(problems.length).toBeGreaterThan(0)
  })
})
