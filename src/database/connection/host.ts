/** A place where a server may listen. */
export interface Host {
  /** The name that its certificate must carry, and its name in .pgpass. */
  name: string;
  /** The address to connect to: a name, an IP address, or the folder of a Unix socket. */
  address: string;
  port: number;
}
