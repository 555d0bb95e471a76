/** One host of DATABASE_URL. */
export interface Host {
  /** The name to verify in its certificate and to look up in .pgpass. */
  name: string;
  /** Where to connect: a host name, an IP address, or the folder of a Unix socket. */
  address: string;
  port: number;
}
