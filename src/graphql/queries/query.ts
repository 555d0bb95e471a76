import { builder } from '../builder.ts';

builder.queryType({
  description: 'All reads. They need a key with the READ scope unless stated otherwise.',
});
