/** Which test files a fault means: they are named loosely, so that a test may move with its room. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Fault } from './fault.ts'

const roots = ['bench', 'conformance', 'contract/src', 'gateway/src']
const extension = '.test.ts'

/** Every test file of the checkout, relative to it. */
export function readTestFiles(checkout: string): readonly string[] {
  return roots
    .flatMap((root) => readdirSync(join(checkout, root), { recursive: true, encoding: 'utf8' }).map((file) => `${root}/${file}`))
    .filter((file) => file.endsWith(extension) && !file.includes('node_modules/'))
    .toSorted()
}

/** Throws an Error that names the fault where one of its tests is not there. */
export function testsFor({ name, tests }: Fault, files: readonly string[]): readonly string[] {
  const found = tests.map((test) => {
    const matching = files.filter((file) => matches(`/${file}`, `/${test}`))
    if (matching.length === 0) throw new Error(`${name}: there is no test \`${test}\` any more`)
    return matching
  })
  return [...new Set(found.flat())]
}

function matches(file: string, test: string): boolean {
  if (test.endsWith('/')) return file.includes(test)
  if (test.endsWith('*')) return file.includes(test.slice(0, -1))
  return file.endsWith(`${test}${extension}`)
}
