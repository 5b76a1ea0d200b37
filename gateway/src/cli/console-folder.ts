/** Where the built console lies: in the package, whether its sources run or its build. */
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'

export const consoleFolder = join(dirname(findPackageJSON(import.meta.url) ?? import.meta.dirname), 'console')
