/** The package's folder, as the sources see it; `conformance/cli/published-form.test.ts` sees it from the build. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packageFile, packageFolder } from './package-folder.ts'
import { version } from './version.ts'

test('is the one whose manifest names this package', () => {
  expect(JSON.parse(readFileSync(packageFile, 'utf8'))).toMatchObject({ name: 'turnward', version })
  expect(packageFile.startsWith(packageFolder)).toBe(true)
})
