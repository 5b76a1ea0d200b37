/** Which names a sandboxed server may ask for, and which addresses no name may lead it to. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { serverSchema } from '@turnward/contract/config/agent-floor'
import { addressRefusal, compileEgressRules, egressProblems, parseAuthority, type NetworkList } from './egress-rules.ts'

/** A list as the schema reads it. */
function listOf(...network: readonly unknown[]): NetworkList {
  const config = serverSchema.parse({ transport: 'stdio', command: ['node'], network })
  return config.transport === 'stdio' ? config.network : []
}

const refusal = (network: NetworkList, host: string, port: number) => {
  const verdict = compileEgressRules('probe', network).judge(host, port)
  return 'why' in verdict ? verdict : undefined
}

describe('the list of hosts', () => {
  const rules = listOf('api.example.com', 'db.example.com:5432', '*.cdn.example.com', '10.1.2.3:8080', '[2001:db8::1]:443', '2001:db8::2')

  test.each([
    ['api.example.com', 443],
    ['api.example.com', 80],
    ['API.Example.COM', 443],
    ['api.example.com.', 443],
    ['db.example.com', 5432],
    ['a.cdn.example.com', 443],
    ['a.b.cdn.example.com', 443],
    ['10.1.2.3', 8080],
    ['2001:db8::1', 443],
    ['2001:DB8:0::1', 443],
    ['2001:db8::2', 80],
  ])('allows %s:%i', (host, port) => expect(refusal(rules, host, port)).toBeUndefined())

  test.each([
    ['example.com', 443],
    ['evil-api.example.com', 443],
    ['api.example.com.evil.com', 443],
    ['api.example.com', 22],
    ['db.example.com', 443],
    ['cdn.example.com', 443],
    ['xcdn.example.com', 443],
    ['10.1.2.3', 80],
    ['10.1.2.4', 8080],
    ['0x0a.1.2.3', 8080],
    ['167838211', 8080],
    ['10.66051', 8080],
    ['::ffff:10.1.2.3', 8080],
    ['api.example.com@evil.com', 443],
    ['api.example.com\0.evil.com', 443],
    ['', 443],
  ])('refuses %j:%i', (host, port) => expect(refusal(rules, host, port)).toBeDefined())

  test.each([
    'https://example.com',
    'example.com/path',
    'exa mple.com',
    '*',
    '*.com',
    'a.*.com',
    'example.com:0',
    'example.com:70000',
    '127.1',
    '[::1',
    '*.10.0.0.1',
  ])('does not take %j', (entry) => {
    expect(() => compileEgressRules('probe', [entry])).toThrowError(expect.objectContaining({ code: 'config.invalid' }))
  })

  test('an empty list allows nothing', () => {
    fc.assert(fc.property(fc.domain(), fc.integer({ min: 1, max: 65_535 }), (host, port) => refusal([], host, port) !== undefined))
  })
})

describe('an address that hands out credentials', () => {
  test.each([
    '169.254.169.254',
    '169.254.169.254:80',
    '[::ffff:169.254.169.254]:80',
    '168.63.129.16',
    '[fd00:ec2::254]:80',
    '[fe80::1]:80',
  ])('%s cannot be listed', (entry) => {
    expect(() => compileEgressRules('s', [entry])).toThrow(/credentials/)
  })
})

describe('the target of a request', () => {
  test.each([
    ['example.com:443', { host: 'example.com', port: 443 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
  ])('%s', (text, expected) => expect(parseAuthority(text)).toEqual(expected))

  test.each([
    'example.com',
    'user@example.com:443',
    'example.com:443/x',
    ':443',
    'example.com:0',
    'example.com:99999',
    '[example.com]:443',
    '::1:443',
    'example.com:443 x',
    '[fe80::1%eth0]:80',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined()
  })
})

describe('a name that is listed as private', () => {
  const destination = (entry: unknown, host: string, port: number) => {
    const verdict = compileEgressRules('probe', listOf(entry)).judge(host, port)
    if ('why' in verdict) throw new Error(verdict.why)
    return verdict
  }

  test.each(['10.1.2.3', '172.31.0.1', '192.168.1.1', '100.64.1.1', 'fd12:3456::1', '93.184.216.34', '2606:4700::1111'])(
    'may lead to %s',
    (address) => {
      expect(addressRefusal(destination({ host: 'git.corp.example:443', private: true }, 'git.corp.example', 443), address)).toBeUndefined()
    },
  )

  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '0.0.0.0',
    '::',
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fe80::1',
    '224.0.0.1',
    'ff02::1',
    '255.255.255.255',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
    'not an address',
  ])('never leads to %s', (address) => {
    const refused = addressRefusal(destination({ host: '*.corp.example', private: true }, 'git.corp.example', 443), address)
    expect(refused?.why).toContain('not public')
    expect(refused).not.toHaveProperty('add')
  })

  test('is one entry: the same name on another port is not private', () => {
    const list = [{ host: 'git.corp.example:443', private: true }, 'git.corp.example:80']
    const { judge } = compileEgressRules('probe', listOf(...list))
    expect(judge('git.corp.example', 443)).toMatchObject({ private: true })
    expect(judge('git.corp.example', 80)).toMatchObject({ private: false })
  })

  test('what is refused for want of it says the entry', () => {
    const found = addressRefusal(destination('git.corp.example', 'git.corp.example', 443), '10.1.2.3')
    expect(found?.add).toBe('{ host: "git.corp.example:443", private: true }')
  })
})

describe('what is not listed', () => {
  test.each([
    ['evil.example', 443, '"evil.example:443"'],
    ['EVIL.example.', 8443, '"evil.example:8443"'],
    ['10.1.2.3', 80, '"10.1.2.3:80"'],
    ['2001:DB8::7', 80, '"[2001:db8::7]:80"'],
  ])('%s:%i says the entry that would allow it', (host, port, entry) => {
    expect(refusal([], host, port)?.add).toBe(entry)
    expect(refusal(listOf(JSON.parse(entry)), host, port)).toBeUndefined()
  })

  test.each(['169.254.169.254', '::ffff:169.254.169.254', '64:ff9b::a9fe:a9fe', '0.0.0.0', '224.0.0.1', 'fd00:ec2::254'])(
    '%s says none',
    (host) => {
      expect(refusal([], host, 80)?.why).toContain('not listed')
      expect(refusal([], host, 80)?.add).toBeUndefined()
    },
  )
})

describe('a TCP service', () => {
  const forwards = (...list: readonly unknown[]) => compileEgressRules('probe', listOf(...list)).forwards

  test('is found under its own name, or under the one that is said', () => {
    expect(
      forwards({ tcp: 'DB.corp.example:5432', private: true }, { tcp: '10.1.2.3:5432', as: 'replica:5432' }, { tcp: '127.0.0.1:6379' }),
    ).toEqual([
      { host: 'db.corp.example', port: 5432, private: true, name: 'db.corp.example', namedPort: 5432 },
      { host: '10.1.2.3', port: 5432, private: false, name: 'replica', namedPort: 5432 },
      { host: '127.0.0.1', port: 6379, private: false, name: '127.0.0.1', namedPort: 6379 },
    ])
  })

  test('opens nothing at the proxy', () => {
    expect(refusal(listOf({ tcp: 'db.corp.example:5432' }), 'db.corp.example', 5432)).toBeDefined()
  })

  test('says the entry it needs where its name is private', () => {
    const [plain] = forwards({ tcp: 'db.corp.example:5432' })
    const [named] = forwards({ tcp: 'ldap.corp.example:389', as: 'ldap:10389' })
    expect(plain && addressRefusal(plain, '10.0.0.1')?.add).toBe('{ tcp: "db.corp.example:5432", private: true }')
    expect(named && addressRefusal(named, '10.0.0.1')?.add).toBe('{ tcp: "ldap.corp.example:389", as: "ldap:10389", private: true }')
  })

  test.each([
    [{ tcp: 'db.example' }, 'not `name:port`'],
    [{ tcp: '*.example:5432' }, 'not `name:port`'],
    [{ tcp: 'user@db.example:5432' }, 'not `name:port`'],
    [{ tcp: 'ldap.example:389' }, '`as: ldap.example:10389`'],
    [{ tcp: '10.1.2.3:5432' }, '`as: NAME:5432`'],
    [{ tcp: '[::1]:5432' }, '`as: NAME:5432`'],
    [{ tcp: 'localhost:5432' }, 'the sandbox itself'],
    [{ tcp: '10.1.2.3:5432', as: '10.1.2.3:5432' }, 'write a name'],
    [{ tcp: '10.1.2.3:5432', as: 'db' }, 'not `name:port`'],
    [{ tcp: '169.254.169.254:80', as: 'metadata:8080' }, 'credentials'],
    [{ tcp: '[64:ff9b::a9fe:a9fe]:80', as: 'metadata:8080' }, 'write that one'],
    [{ tcp: '0.0.0.0:5432', as: 'db:5432' }, 'not the address of one host'],
  ])('%j is not taken', (entry, why) => {
    expect(egressProblems(listOf(entry)).map((problem) => problem.why)).toEqual([expect.stringContaining(why)])
  })

  test('two services cannot have one place, nor a server more than 32', () => {
    expect(egressProblems(listOf({ tcp: 'a.example:5432' }, { tcp: 'b.example:5432', as: 'a.example:5432' }))).toEqual([
      { index: 1, why: expect.stringContaining('two `tcp` entries') },
    ])
    const many = Array.from({ length: 33 }, (_, index) => ({ tcp: `db${index}.example:5432` }))
    expect(egressProblems(listOf(...many))).toEqual([{ index: 32, why: expect.stringContaining('more than 32') }])
  })
})

describe('an entry', () => {
  test.each([
    [{}],
    [{ host: 'a.example', tcp: 'b.example:1234' }],
    [{ host: 'a.example', as: 'b:1234' }],
    [{ private: true }],
    [{ host: 'a.example', ports: [1] }],
  ])('%j is refused by the schema', (entry) => {
    expect(serverSchema.safeParse({ transport: 'stdio', command: ['node'], network: [entry] }).success).toBe(false)
  })

  test.each(['::ffff:10.1.2.3', '[64:ff9b::a00:1]:80', '2002:a00:1::1', '0.0.0.0', '[::]:80', '224.0.0.1', '255.255.255.255:80'])(
    '%s is no address to write down',
    (entry) => {
      expect(egressProblems(listOf(entry))).toHaveLength(1)
    },
  )
})
