/**
 * Which addresses no operator may be led to: link-local ones and those where clouds hand out credentials. Asked of the
 * address that a name resolved to, so that no name can hide one. Knows nothing of HTTP.
 */
import { lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

let list: BlockList | undefined

function refusedAddresses(): BlockList {
  if (list !== undefined) return list
  list = new BlockList()
  // Link-local (RFC 3927, RFC 4291): the metadata service of AWS, Azure, Google and others is 169.254.169.254.
  list.addSubnet('169.254.0.0', 16, 'ipv4')
  list.addSubnet('fe80::', 10, 'ipv6')
  // The same addresses inside IPv6: IPv4-compatible, NAT64 (RFC 6052), 6to4 (RFC 3056). Mapped ones BlockList knows.
  list.addSubnet('::a9fe:0', 112, 'ipv6')
  list.addSubnet('64:ff9b::a9fe:0', 112, 'ipv6')
  list.addSubnet('2002:a9fe::', 32, 'ipv6')
  // Metadata services elsewhere: AWS and Google over IPv6, Alibaba, Oracle, Azure's wire server.
  list.addAddress('fd00:ec2::254', 'ipv6')
  list.addAddress('fd20:ce::254', 'ipv6')
  list.addAddress('100.100.100.200', 'ipv4')
  list.addAddress('192.0.0.192', 'ipv4')
  list.addAddress('168.63.129.16', 'ipv4')
  return list
}

/** Whether an IP address (with or without a zone) is one that is refused. */
export function isRefused(address: string): boolean {
  const plain = address.replace(/%.*$/, '')
  const version = isIP(plain)
  return version !== 0 && refusedAddresses().check(plain, version === 4 ? 'ipv4' : 'ipv6')
}

/** Throws an error of code ERR_ADDRESS_REFUSED where a host, as a URL has it, is itself an address that is refused. */
export function refuseHost(host: string): void {
  const address = host.replace(/^\[|\]$/g, '')
  if (isRefused(address)) throw refusal(address, address)
}

/** A lookup that fails where any address of the name is refused. @param resolve how names are resolved */
export function guarded(resolve: LookupFunction): LookupFunction {
  return (host, options, callback) =>
    resolve(host, options, (error, address, family) => {
      const all = error ? [] : typeof address === 'string' ? [address] : address.map((one) => one.address)
      const bad = all.find(isRefused)
      if (bad === undefined) callback(error, address, family)
      else callback(refusal(host, bad), address, family)
    })
}

/** The system's lookup, guarded: for `lookup` of connections. */
export const guardedLookup: LookupFunction = guarded((...asked) => (lookup as LookupFunction)(...asked))

function refusal(host: string, address: string): Error {
  const who = host === address ? host : `${host} is ${address}, which`
  const message = `${who} is a link-local or metadata address: requests to it are refused`
  return Object.assign(new Error(message), { code: 'ERR_ADDRESS_REFUSED' })
}
