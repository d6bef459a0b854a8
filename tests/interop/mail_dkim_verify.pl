# Verifies every DKIM signature of messages with Mail::DKIM, offline, and prints a list of verdicts for each message, as JSON.
#
# usage: mail_dkim_verify.pl RECORDS MESSAGE..., the former a JSON object from a TXT record's name to its text.

use strict;
use warnings;

use JSON::PP;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::RR;

sub content {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!\n";
    local $/;
    return <$file>;
}

my $records = decode_json(content(shift @ARGV));

# Answers from the file instead of the network.
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    my $text = $records->{$name};
    return unless defined $text;
    return Net::DNS::RR->new(
        name    => $name,
        type    => 'TXT',
        txtdata => [ $text =~ /(.{1,255})/g ],
    );
};

my @verdicts;
for my $path (@ARGV) {
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT(content($path));
    $verifier->CLOSE;
    push @verdicts, [ map { $_->result_detail } $verifier->signatures ];
}
print encode_json(\@verdicts);
