/** Every example is a configuration the gateway would take. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')
const run = promisify(execFile)
const keys = { TURNWARD_DEV_KEY: 'tw_example_key_for_the_check_only', TURNWARD_HELPDESK_KEY: 'tw_another_key_for_the_check_only' }

test.each(readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.yaml')))('%s passes `turnward check`', async (name) => {
  const { stdout } = await run(
    process.execPath,
    [join(root, 'gateway/bin/turnward.mjs'), 'check', '--json', '--config', join(root, 'examples', name)],
    {
      env: { ...process.env, ...keys },
    },
  )
  expect(JSON.parse(stdout)).toMatchObject({ ok: true })
})
