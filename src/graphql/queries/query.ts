import { builder } from '../builder.ts';

builder.queryType({
  description: 'Everything that can be read. Needs a key with the READ scope, unless said otherwise.',
});
