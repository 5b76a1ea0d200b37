/** What `turnward doctor` says of the network of servers. */
import { expect, test } from 'vitest'
import { networkFindings } from './network-checks.ts'

test('what a server was refused is told with the line that would allow it, until it is allowed', () => {
  const plain = { host: 'api.example', port: 443, why: 'not listed', add: '"api.example:443"' }
  const named = { host: 'git.corp.example', port: 443, why: 'not public', add: '{ host: "git.corp.example:443", private: true }' }
  const service = { host: 'db.corp.example', port: 5432, why: 'not public', add: '{ tcp: "db.corp.example:5432", private: true }' }
  const never = { host: '169.254.169.254', port: 80, why: 'not listed' }
  const [finding, ...others] = networkFindings('crm', [], [plain, named, service, never])
  expect(others).toEqual([])
  expect(finding?.detail).toContain('api.example:443, git.corp.example:443, db.corp.example:5432')
  for (const { add } of [plain, named, service]) expect(finding?.fix).toContain(`- ${add}`)
  expect(finding?.fix).not.toContain('169.254')
  const half = ['api.example:443', 'git.corp.example:443', { tcp: 'db.corp.example:5432', private: false }]
  expect(networkFindings('crm', half, [plain, named, service])[0]?.detail).toMatch(/: git\.corp\.example:443, db\.corp\.example:5432$/)
  const all = ['api.example:443', { host: '*.corp.example', private: true }, { tcp: 'db.corp.example:5432', private: true }]
  expect(networkFindings('crm', all, [plain, named, service, never])).toEqual([])
})
